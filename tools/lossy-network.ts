import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { missingPrograms } from "./ensure.ts";
import { createNamespaces, findNamespaceProblem, ip, type NetworkNamespace } from "./namespaces.ts";

/** Two network namespaces that a lossy cable connects. */
export interface LossyNetwork {
  readonly ends: readonly [near: NetworkNamespace, far: NetworkNamespace];
  /** The near end's address. */
  readonly address: string;
  /** Removes the network. End its processes first. */
  remove(): Promise<void>;
}

/** Options of {@link createLossyNetwork}. Equal seeds lose the same packets. */
export interface LossyNetworkOptions {
  /** Each way, in ms. */
  readonly latency: number;
  /** The fraction of packets that are lost, each way. */
  readonly loss: number;
  readonly seed: number;
}

/** Why this machine does not support such a network, and what to do. Undefined if it does. */
export function findLossyNetworkProblem(): string | undefined {
  const trouble = findNamespaceProblem() ?? missingPrograms("python");
  if (trouble) return trouble;
  return existsSync("/dev/net/tun") ? undefined : "This machine has no device /dev/net/tun. Add it.";
}

// From a documentation block (RFC 5737). Browsers ask the user before a page may connect to a private address.
const address = "198.51.100.1";

const program = fileURLToPath(new URL("lossy-cable.py", import.meta.url));

/** Creates the network. The caller removes it. */
export async function createLossyNetwork({ latency, loss, seed }: LossyNetworkOptions): Promise<LossyNetwork> {
  const { add, remove } = createNamespaces("lossy");
  const [wire, near, far] = [add("wire"), add("near"), add("far")];
  const [command = "", ...enter] = wire.enter;
  const numbers = [latency / 1_000, loss, seed].map(String);
  const forwarder = spawn(command, [...enter, "python3", program, "near", "far", ...numbers], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(forwarder, "exit");

  async function end(): Promise<void> {
    forwarder.stdin.end();
    await ended;
    remove();
  }

  const died = ended.then(([code]) => Promise.reject(new Error(`The cable broke with ${code}.`)));
  await Promise.race([once(forwarder.stdout, "data"), died]).catch((failure) => {
    remove();
    throw failure;
  });
  died.catch(() => {});
  // The program keeps using the devices after they move to other namespaces.
  attach(wire, near, "near", address);
  attach(wire, far, "far", "198.51.100.2");
  return { ends: [near, far], address, remove: end };
}

function attach(wire: NetworkNamespace, namespace: NetworkNamespace, device: string, address: string): void {
  ip("-n", wire.name, "link", "set", device, "netns", namespace.name, "name", "uplink");
  ip("-n", namespace.name, "addr", "add", `${address}/30`, "dev", "uplink");
  ip("-n", namespace.name, "link", "set", "uplink", "up");
  ip("-n", namespace.name, "route", "add", "default", "dev", "uplink");
}
