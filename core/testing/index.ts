export type { Clock } from "../clock.ts";
export type { MemoryDiscovery } from "../discovery/memory.ts";
export { createNetwork, type Network, type NetworkOptions } from "./network.ts";
export { createVirtualClock, type VirtualClock } from "./virtual-clock.ts";
