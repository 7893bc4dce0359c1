import { testConformance } from "../conformance.ts";
import { svelte } from "./conformance.ts";

testConformance(svelte);
