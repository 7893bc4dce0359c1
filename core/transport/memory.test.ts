import { transportConformance } from "./conformance.ts";
import { createMemoryNetwork } from "./memory.ts";

const network = createMemoryNetwork();
transportConformance({ name: "memory", transport: network.transport, held: () => network.size });
