import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { missingPrograms } from "./ensure.ts";
import { createNamespaces, ip, namespaceTrouble, type Place } from "./namespaces.ts";

/** Two places and one cable between them. */
export interface LossyNetwork {
  readonly ends: readonly [near: Place, far: Place];
  /** The near end's address. */
  readonly address: string;
  /** Takes all of it away; what runs there is to be ended first. */
  remove(): Promise<void>;
}

/** How bad the cable is. The losses are the same for the same seed. */
export interface LossyNetworkOptions {
  /** Each way, in ms. */
  readonly latency: number;
  /** The share of packets that get lost, each way. */
  readonly loss: number;
  readonly seed: number;
}

/** Why this machine cannot have such a network, and what to do; undefined if it can. */
export function lossyTrouble(): string | undefined {
  const trouble = namespaceTrouble() ?? missingPrograms("python");
  if (trouble) return trouble;
  return existsSync("/dev/net/tun") ? undefined : "Give this machine the device /dev/net/tun.";
}

// Of a block that is kept for documentation. A browser asks its user before a page may reach a private address.
const address = "198.51.100.1";

const program = fileURLToPath(new URL("lossy-wire.py", import.meta.url));

/** Makes the network. The caller removes it. */
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
  // The program keeps its ends, wherever they are.
  plug(wire, near, "near", address);
  plug(wire, far, "far", "198.51.100.2");
  return { ends: [near, far], address, remove: end };
}

function plug(wire: Place, place: Place, device: string, address: string): void {
  ip("-n", wire.name, "link", "set", device, "netns", place.name, "name", "uplink");
  ip("-n", place.name, "addr", "add", `${address}/30`, "dev", "uplink");
  ip("-n", place.name, "link", "set", "uplink", "up");
  ip("-n", place.name, "route", "add", "default", "dev", "uplink");
}
