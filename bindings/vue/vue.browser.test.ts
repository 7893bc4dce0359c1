import { conforms } from "../conformance.ts";
import { vue } from "./conformance.ts";

conforms(vue);
