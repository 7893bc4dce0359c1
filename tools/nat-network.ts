import { missingPrograms } from "./ensure.ts";
import {
  connectByCable,
  createNamespaces,
  findNamespaceProblem,
  forward,
  ip,
  type NetworkNamespace,
} from "./namespaces.ts";

/** A public host and two home networks, each behind a NAT that drops unsolicited packets. */
export interface NatNetwork {
  readonly outside: NetworkNamespace;
  /** The public host's address. */
  readonly address: string;
  readonly homes: readonly [ann: NetworkNamespace, ben: NetworkNamespace];
  /** Makes both NATs drop or pass UDP packets. */
  blockUdp(blocked: boolean): void;
  /** Removes the network. End its processes first. */
  remove(): void;
}

/** Why this machine does not support such a network, and what to do. Undefined if it does. */
export function findNatProblem(): string | undefined {
  return findNamespaceProblem() ?? missingPrograms("nftables");
}

// From a documentation block (RFC 5737), which no public host uses.
const address = "192.0.2.1";

/** Creates the network from isolated namespaces. The caller removes it. */
export function createNatNetwork(): NatNetwork {
  const { add, remove } = createNamespaces("nat");

  function addHomeNetwork(
    outside: NetworkNamespace,
    side: 1 | 2,
  ): { readonly nat: NetworkNamespace; readonly home: NetworkNamespace } {
    const [nat, home] = [add(`router${side}`), add(`home${side}`)];
    connectByCable(
      { namespace: outside, device: `side${side}`, address: `198.51.100.${side * 4 + 1}` },
      { namespace: nat, device: "uplink", address: `198.51.100.${side * 4 + 2}` },
    );
    connectByCable(
      { namespace: nat, device: "home", address: `10.0.${side}.1` },
      { namespace: home, device: "uplink", address: `10.0.${side}.2` },
    );
    forward(nat);
    nft(nat, masquerade);
    return { nat, home };
  }

  try {
    const outside = add("outside");
    ip("-n", outside.name, "addr", "add", `${address}/32`, "dev", "lo");
    // Drops packets to private addresses. Without a route, coturn gives up the peer after its first packet.
    connectByCable(
      { namespace: add("nowhere"), device: "outside", address: "198.51.100.1" },
      { namespace: outside, device: "uplink", address: "198.51.100.2" },
    );
    forward(outside);
    const [ann, ben] = [addHomeNetwork(outside, 1), addHomeNetwork(outside, 2)];
    return {
      outside,
      address,
      homes: [ann.home, ben.home],
      blockUdp(blocked) {
        const rules = blocked
          ? "add rule ip firewall blocked meta l4proto udp drop"
          : "flush chain ip firewall blocked";
        for (const { nat } of [ann, ben]) nft(nat, rules);
      },
      remove,
    };
  } catch (failure) {
    remove();
    throw failure;
  }
}

// A symmetric NAT: it uses another port for every destination.
const masquerade = `
  table ip nat {
    chain leave {
      type nat hook postrouting priority srcnat;
      oifname "uplink" masquerade fully-random
    }
  }
  table ip firewall {
    chain blocked {
    }
    chain enter {
      type filter hook input priority filter;
      iifname "uplink" ct state new drop
    }
    chain pass {
      type filter hook forward priority filter;
      iifname "uplink" ct state new drop
      jump blocked
    }
  }`;

function nft({ name }: NetworkNamespace, rules: string): void {
  ip("netns", "exec", name, "nft", rules);
}
