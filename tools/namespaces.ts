import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { missingPrograms } from "./ensure.ts";

/** A network namespace of this machine. */
export interface NetworkNamespace {
  /** Its name for `ip`. */
  readonly name: string;
  /** A command prefix that runs a command in it. */
  readonly enter: readonly string[];
  /** Writes a script that runs `program` in it with the script's arguments, and returns its path. */
  script(program: string): string;
}

/** A group of namespaces. */
export interface Namespaces {
  /** Adds a namespace with only a loopback device. */
  add(name: string): NetworkNamespace;
  /** Removes the namespaces. End their processes first. */
  remove(): void;
}

/** One end of a cable. */
export interface CableEnd {
  readonly namespace: NetworkNamespace;
  /** The device's name there. */
  readonly device: string;
  /** An IPv4 address of a network of four. */
  readonly address: string;
}

/** Why this machine does not support network namespaces, and what to do. Undefined if it does. */
export function findNamespaceProblem(): string | undefined {
  if (process.platform !== "linux") return "Only Linux has network namespaces. Run this on Linux.";
  if (process.getuid?.() !== 0) return "Only root can create network namespaces. Run this as root.";
  const missing = missingPrograms("iproute2");
  if (missing) return missing;
  const probe = `probe-${process.pid}`;
  try {
    ip("netns", "add", probe);
    ip("netns", "del", probe);
    return undefined;
  } catch {
    return "This machine does not allow network namespaces. Give its container the capability SYS_ADMIN.";
  }
}

/** Creates an empty group. The names of its namespaces start with `prefix`. The caller removes them. */
export function createNamespaces(prefix: string): Namespaces {
  const scripts = mkdtempSync(join(tmpdir(), `${prefix}-`));
  const names: string[] = [];
  return {
    add(short) {
      const name = `${basename(scripts)}-${short}`;
      ip("netns", "add", name);
      names.push(name);
      ip("-n", name, "link", "set", "lo", "up");
      return toNetworkNamespace(name, scripts);
    },
    remove() {
      for (const name of names.splice(0)) ip("netns", "del", name);
      rmSync(scripts, { recursive: true, force: true });
    },
  };
}

function toNetworkNamespace(name: string, scripts: string): NetworkNamespace {
  const enter = ["ip", "netns", "exec", name];
  return {
    name,
    enter,
    script(program) {
      const path = join(scripts, name);
      writeFileSync(path, `#!/bin/sh\nexec ${enter.join(" ")} "${program}" "$@"\n`);
      chmodSync(path, 0o755);
      return path;
    },
  };
}

/** Connects two namespaces by a cable. The default route of the far end leads through the near end. */
export function connectByCable(near: CableEnd, far: CableEnd): void {
  const [a, b] = [near.namespace.name, far.namespace.name];
  ip("link", "add", near.device, "netns", a, "type", "veth", "peer", "name", far.device, "netns", b);
  for (const { namespace, device, address } of [near, far]) {
    ip("-n", namespace.name, "addr", "add", `${address}/30`, "dev", device);
    ip("-n", namespace.name, "link", "set", device, "up");
  }
  ip("-n", b, "route", "replace", "default", "via", near.address);
}

/** The processes in a namespace. */
export function processesIn({ name }: NetworkNamespace): readonly number[] {
  return execFileSync("ip", ["netns", "pids", name], { encoding: "utf8" }).trim().split("\n").map(Number);
}

/** Enables IP forwarding in a namespace. */
export function forward({ name }: NetworkNamespace): void {
  ip("netns", "exec", name, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
}

/** Runs `ip`. Throws its error. */
export function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}
