import { connectByCable, createNamespaces, forward, ip, type NetworkNamespace } from "./namespaces.ts";

/** A router and two peers. One of the peers can change networks. */
export interface RoamingNetwork {
  /** The namespace for the discovery server. */
  readonly outside: NetworkNamespace;
  readonly address: string;
  readonly roaming: NetworkNamespace;
  readonly other: NetworkNamespace;
  /** Adds a network, with a new device and address, to the roaming peer. Its default route leads through it. */
  addNetwork(): void;
  /** Removes the roaming peer's oldest network with its address. */
  removeOldestNetwork(): void;
  /** Drops all packets to the roaming peer without a change of its devices, or passes them again. */
  setMuted(muted: boolean): void;
  /** Removes the network. End its processes first. */
  remove(): void;
}

const address = "192.0.2.1";

/** Creates the network from isolated namespaces. The caller removes it. */
export function createRoamingNetwork(): RoamingNetwork {
  const { add, remove } = createNamespaces("roam");
  const devices: string[] = [];
  let networks = 0;

  try {
    const [outside, roaming, other] = [add("outside"), add("roaming"), add("other")];
    ip("-n", outside.name, "addr", "add", `${address}/32`, "dev", "lo");
    forward(outside);
    connectByCable(
      { namespace: outside, device: "other", address: "198.51.100.1" },
      { namespace: other, device: "uplink", address: "198.51.100.2" },
    );

    function addNetwork(): void {
      const first = 4 * ++networks;
      const device = `uplink${networks}`;
      connectByCable(
        { namespace: outside, device, address: `198.51.100.${first + 1}` },
        { namespace: roaming, device, address: `198.51.100.${first + 2}` },
      );
      devices.push(device);
    }

    function setMuted(muted: boolean): void {
      const whole = `198.51.100.${4 * networks + 2}/32`;
      ip("-n", outside.name, "route", muted ? "add" : "del", "blackhole", whole);
    }

    addNetwork();
    return {
      outside,
      address,
      roaming,
      other,
      addNetwork,
      removeOldestNetwork: () => ip("-n", roaming.name, "link", "del", devices.shift()!),
      setMuted,
      remove,
    };
  } catch (failure) {
    remove();
    throw failure;
  }
}
