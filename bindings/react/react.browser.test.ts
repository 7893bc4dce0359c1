import { conforms } from "../conformance.ts";
import { react } from "./conformance.tsx";

conforms(react);
