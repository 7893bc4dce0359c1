import { testConformance } from "../conformance.ts";
import { vue } from "./conformance.ts";

testConformance(vue);
