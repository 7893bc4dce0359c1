import { testConformance } from "../conformance.ts";
import { react } from "./conformance.tsx";

testConformance(react);
