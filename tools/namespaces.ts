import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { missingPrograms } from "./ensure.ts";

/** A network namespace of this machine. */
export interface Place {
  /** As `ip` knows it. */
  readonly name: string;
  /** The words before a command that make it run there. */
  readonly enter: readonly string[];
  /** A script that runs `program` there with the arguments it is given, for who takes nothing but a path. */
  script(program: string): string;
}

/** Namespaces that belong together. */
export interface Namespaces {
  /** A new one, with nothing in it but a loopback that is up. */
  add(name: string): Place;
  /** Takes all of them away; what runs there is to be ended first. */
  remove(): void;
}

/** One end of a cable. */
export interface End {
  readonly place: Place;
  /** The device's name there. */
  readonly device: string;
  /** An IPv4 address of a network of four. */
  readonly address: string;
}

/** Why this machine cannot have namespaces, and what to do; undefined if it can. */
export function namespaceTrouble(): string | undefined {
  if (process.platform !== "linux") return "Only Linux has network namespaces: run this on Linux.";
  if (process.getuid?.() !== 0) return "Only root can make network namespaces: run this as root.";
  const missing = missingPrograms("iproute2");
  if (missing) return missing;
  const probe = `probe-${process.pid}`;
  try {
    ip("netns", "add", probe);
    ip("netns", "del", probe);
    return undefined;
  } catch {
    return "This machine does not allow network namespaces: give its container the capability SYS_ADMIN.";
  }
}

/** No namespaces yet; their names will begin with `prefix`. The caller removes them. */
export function createNamespaces(prefix: string): Namespaces {
  const scripts = mkdtempSync(join(tmpdir(), `${prefix}-`));
  const made: string[] = [];
  return {
    add(short) {
      const name = `${basename(scripts)}-${short}`;
      ip("netns", "add", name);
      made.push(name);
      ip("-n", name, "link", "set", "lo", "up");
      return placeOf(name, scripts);
    },
    remove() {
      for (const name of made.splice(0)) ip("netns", "del", name);
      rmSync(scripts, { recursive: true, force: true });
    },
  };
}

function placeOf(name: string, scripts: string): Place {
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

/** A cable between two places, both ends up; the far end's way to everywhere leads through the near one. */
export function wire(near: End, far: End): void {
  const [a, b] = [near.place.name, far.place.name];
  ip("link", "add", near.device, "netns", a, "type", "veth", "peer", "name", far.device, "netns", b);
  for (const { place, device, address } of [near, far]) {
    ip("-n", place.name, "addr", "add", `${address}/30`, "dev", device);
    ip("-n", place.name, "link", "set", device, "up");
  }
  ip("-n", b, "route", "replace", "default", "via", near.address);
}

/** The processes that run in a place. */
export function processesIn({ name }: Place): readonly number[] {
  return execFileSync("ip", ["netns", "pids", name], { encoding: "utf8" }).trim().split("\n").map(Number);
}

/** Has a place pass on what is not for itself. */
export function forward({ name }: Place): void {
  ip("netns", "exec", name, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
}

/** Runs `ip`; throws what it says. */
export function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}
