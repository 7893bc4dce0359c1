import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A network namespace of this machine. */
export interface Place {
  /** The words before a command that make it run there. */
  readonly enter: readonly string[];
  /** A script that runs `program` there with the arguments it is given, for who takes nothing but a path. */
  script(program: string): string;
}

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

/** Why there can be no such network on this machine, and what to do; undefined: there can. */
export function natTrouble(): string | undefined {
  if (process.platform !== "linux") return "Network namespaces are Linux's: run this on Linux.";
  if (process.getuid?.() !== 0) return "Network namespaces are made by root: run this as root.";
  try {
    for (const [program, argument] of [
      ["ip", "-V"],
      ["nft", "-v"],
    ] as const)
      execFileSync(program, [argument], { stdio: "ignore" });
  } catch {
    return "Install iproute2 and nftables first, on Debian: apt-get install iproute2 nftables.";
  }
  return undefined;
}

// From the blocks that are kept for documentation: nobody out there has them.
const address = "192.0.2.1";

/** Makes the network out of namespaces that nothing else on this machine is wired to. The caller removes it. */
export function createNatNetwork(): NatNetwork {
  const scripts = mkdtempSync(join(tmpdir(), "nat-"));
  const made: string[] = [];
  const space = (name: string): string => {
    const whole = `nat-${process.pid}-${name}`;
    ip("netns", "add", whole);
    made.push(whole);
    ip("-n", whole, "link", "set", "lo", "up");
    return whole;
  };
  const remove = (): void => {
    for (const name of made.splice(0)) ip("netns", "del", name);
    rmSync(scripts, { recursive: true, force: true });
  };

  try {
    const outside = space("outside");
    ip("-n", outside, "addr", "add", `${address}/32`, "dev", "lo");
    // Swallows what goes to private addresses: coturn gives a peer up whose first packet finds no route.
    wire(space("nowhere"), "198.51.100.1", outside, "198.51.100.2", "outside");
    forward(outside);
    const sides = [1, 2].map((side) => {
      const [nat, home] = [space(`router${side}`), space(`home${side}`)];
      wire(outside, `198.51.100.${side * 4 + 1}`, nat, `198.51.100.${side * 4 + 2}`, `side${side}`);
      wire(nat, `10.0.${side}.1`, home, `10.0.${side}.2`, "home");
      forward(nat);
      nft(nat, masquerade);
      return { nat, home };
    });
    const placeOf = (name: string): Place => {
      const enter = ["ip", "netns", "exec", name];
      return {
        enter,
        script(program) {
          const path = join(scripts, name);
          writeFileSync(path, `#!/bin/sh\nexec ${enter.join(" ")} "${program}" "$@"\n`);
          chmodSync(path, 0o755);
          return path;
        },
      };
    };
    return {
      outside: placeOf(outside),
      address,
      homes: [placeOf(sides[0]!.home), placeOf(sides[1]!.home)],
      blockUdp(blocked) {
        const rules = blocked
          ? "add rule ip firewall blocked meta l4proto udp drop"
          : "flush chain ip firewall blocked";
        for (const { nat } of sides) nft(nat, rules);
      },
      remove,
    };
  } catch (failure) {
    remove();
    throw failure;
  }
}

/** A cable of two ends of one name; the second end's way to everywhere leads through the first. */
function wire(near: string, nearAddress: string, far: string, farAddress: string, name: string): void {
  const farName = "uplink";
  ip("link", "add", name, "netns", near, "type", "veth", "peer", "name", farName, "netns", far);
  for (const [place, end, own] of [
    [near, name, nearAddress],
    [far, farName, farAddress],
  ] as const) {
    ip("-n", place, "addr", "add", `${own}/30`, "dev", end);
    ip("-n", place, "link", "set", end, "up");
  }
  ip("-n", far, "route", "add", "default", "via", nearAddress);
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

function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}

function nft(name: string, rules: string): void {
  ip("netns", "exec", name, "nft", rules);
}

function forward(name: string): void {
  ip("netns", "exec", name, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
}
