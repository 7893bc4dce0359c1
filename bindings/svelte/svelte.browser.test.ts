import { conforms } from "../conformance.ts";
import { svelte } from "./conformance.ts";

conforms(svelte);
