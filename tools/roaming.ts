import { createNamespaces, forward, ip, type Place, wire } from "./namespaces.ts";

/** Two peers whose packets pass a router, one of whom can change networks. */
export interface RoamingNetwork {
  /** Where the discovery server is. */
  readonly outside: Place;
  readonly address: string;
  readonly roamer: Place;
  readonly other: Place;
  /** Gives the roamer one more network, on a device and with an address of its own; its way out leads through that. */
  arrive(): void;
  /** Takes the roamer's oldest network away, address and all. */
  leave(): void;
  /** From now on nothing reaches the roamer, and no device says so; or all does again. */
  mute(muted: boolean): void;
  /** Takes all of it away; what runs there is to be ended first. */
  remove(): void;
}

const address = "192.0.2.1";

/** Makes the network out of namespaces that nothing else on this machine is wired to. The caller removes it. */
export function createRoamingNetwork(): RoamingNetwork {
  const { add, remove } = createNamespaces("roam");
  const devices: string[] = [];
  let networks = 0;

  try {
    const [outside, roamer, other] = [add("outside"), add("roamer"), add("other")];
    ip("-n", outside.name, "addr", "add", `${address}/32`, "dev", "lo");
    forward(outside);
    wire(
      { place: outside, device: "other", address: "198.51.100.1" },
      { place: other, device: "uplink", address: "198.51.100.2" },
    );

    function arrive(): void {
      const first = 4 * ++networks;
      const device = `uplink${networks}`;
      wire(
        { place: outside, device, address: `198.51.100.${first + 1}` },
        { place: roamer, device, address: `198.51.100.${first + 2}` },
      );
      devices.push(device);
    }

    function mute(muted: boolean): void {
      const whole = `198.51.100.${4 * networks + 2}/32`;
      ip("-n", outside.name, "route", muted ? "add" : "del", "blackhole", whole);
    }

    arrive();
    return {
      outside,
      address,
      roamer,
      other,
      arrive,
      leave: () => ip("-n", roamer.name, "link", "del", devices.shift()!),
      mute,
      remove,
    };
  } catch (failure) {
    remove();
    throw failure;
  }
}
