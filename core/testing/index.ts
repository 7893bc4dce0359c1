export { createNetwork, type Network, type NetworkOptions } from "./network.ts";
export { createVirtualClock, type VirtualClock } from "./virtual-clock.ts";
