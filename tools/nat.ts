import { missingPrograms } from "./ensure.ts";
import { createNamespaces, forward, ip, namespaceTrouble, type Place, wire } from "./namespaces.ts";

/** A public host, and two peers' homes, each behind a NAT of its own that lets nothing in unasked. */
export interface NatNetwork {
  readonly outside: Place;
  /** The public host's address. */
  readonly address: string;
  readonly homes: readonly [ann: Place, ben: Place];
  /** From now on both NATs drop whatever is UDP, or let it pass again. */
  blockUdp(blocked: boolean): void;
  /** Takes all of it away; what runs there is to be ended first. */
  remove(): void;
}

/** Why this machine cannot have such a network, and what to do; undefined if it can. */
export function natTrouble(): string | undefined {
  return namespaceTrouble() ?? missingPrograms("nftables");
}

// From the blocks that are kept for documentation: nobody out there has them.
const address = "192.0.2.1";

/** Makes the network out of namespaces that nothing else on this machine is wired to. The caller removes it. */
export function createNatNetwork(): NatNetwork {
  const { add, remove } = createNamespaces("nat");

  function house(outside: Place, side: 1 | 2): { readonly nat: Place; readonly home: Place } {
    const [nat, home] = [add(`router${side}`), add(`home${side}`)];
    wire(
      { place: outside, device: `side${side}`, address: `198.51.100.${side * 4 + 1}` },
      { place: nat, device: "uplink", address: `198.51.100.${side * 4 + 2}` },
    );
    wire(
      { place: nat, device: "home", address: `10.0.${side}.1` },
      { place: home, device: "uplink", address: `10.0.${side}.2` },
    );
    forward(nat);
    nft(nat, masquerade);
    return { nat, home };
  }

  try {
    const outside = add("outside");
    ip("-n", outside.name, "addr", "add", `${address}/32`, "dev", "lo");
    // Swallows what goes to private addresses: coturn gives a peer up whose first packet finds no route.
    wire(
      { place: add("nowhere"), device: "outside", address: "198.51.100.1" },
      { place: outside, device: "uplink", address: "198.51.100.2" },
    );
    forward(outside);
    const [ann, ben] = [house(outside, 1), house(outside, 2)];
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

// Another port for every destination: what one peer learns of its own address serves no other.
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

function nft({ name }: Place, rules: string): void {
  ip("netns", "exec", name, "nft", rules);
}
