import { execFileSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromiumPath } from "./chromium.ts";

/** A program that tests run and npm does not install. */
export type ProgramName =
  | "chromium"
  | "coturn"
  | "firefox"
  | "iproute2"
  | "nftables"
  | "nginx"
  | "postgres"
  | "python"
  | "redis";

interface Program {
  /** The Debian packages. The first one has the program. */
  readonly packs: readonly [string, ...string[]];
  /** The environment variable that names the program where it is not in its usual place. */
  readonly variable?: string;
  readonly isPresent: () => boolean;
}

const programs: Readonly<Record<ProgramName, Program>> = {
  chromium: {
    packs: ["chromium", "chromium-headless-shell"],
    variable: "CHROMIUM",
    isPresent: () => chromiumPath() !== undefined,
  },
  coturn: { packs: ["coturn"], isPresent: () => isOnPath("turnserver") },
  firefox: { packs: ["firefox-esr"], isPresent: () => existsSync("/usr/bin/firefox-esr") },
  iproute2: { packs: ["iproute2"], isPresent: () => isOnPath("ip") },
  nftables: { packs: ["nftables"], isPresent: () => isOnPath("nft") },
  nginx: { packs: ["nginx"], isPresent: () => isOnPath("nginx") },
  postgres: {
    packs: ["postgresql"],
    variable: "POSTGRES_BIN",
    isPresent: () => isNamed("POSTGRES_BIN") || globSync("/usr/lib/postgresql/*/bin/postgres").length > 0,
  },
  python: { packs: ["python3"], isPresent: () => isOnPath("python3") },
  redis: {
    packs: ["redis-server"],
    variable: "REDIS_SERVER",
    isPresent: () => isNamed("REDIS_SERVER") || isOnPath("redis-server"),
  },
};

export const programNames: readonly ProgramName[] = Object.keys(programs) as ProgramName[];

export function isInstalled(name: ProgramName): boolean {
  return programs[name].isPresent();
}

/** Installs the missing programs if this process is root and has apt-get; otherwise throws what to install. */
export function ensure(...names: readonly ProgramName[]): void {
  const missing = names.filter((name) => !isInstalled(name)).map((name) => programs[name]);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !isOnPath("apt-get")) throw new Error(advice(missing));
  const packs = missing.flatMap(({ packs }) => packs);
  console.log(`Installing ${packs.join(" ")} …`);
  try {
    apt("update", "-qq");
    apt("install", "-y", "-qq", "--no-install-recommends", ...packs);
  } catch (cause) {
    throw new Error(advice(missing), { cause });
  }
}

/**
 * Does what {@link ensure} does, and returns its message instead of throwing it, so that tests can be skipped for that
 * reason. With `CI=true` it throws: there a missing program is a failure.
 */
export function missingPrograms(...names: readonly ProgramName[]): string | undefined {
  try {
    ensure(...names);
    return undefined;
  } catch (error) {
    if (process.env["CI"] === "true") throw error;
    return (error as Error).message;
  }
}

function isNamed(variable: string): boolean {
  return process.env[variable] !== undefined;
}

function isOnPath(command: string): boolean {
  const folders = process.env["PATH"]?.split(delimiter) ?? [];
  return folders.some((folder) => existsSync(join(folder, command)));
}

function apt(...args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  // Test files that run at the same time may each install something.
  const waiting = ["-o", "DPkg::Lock::Timeout=300"];
  execFileSync("apt-get", [...waiting, ...args], { env, stdio: ["ignore", "ignore", "inherit"] });
}

function advice(missing: readonly Program[]): string {
  const packs = missing.flatMap(({ packs }) => packs);
  const elsewhere = missing.flatMap(({ packs, variable }) =>
    variable ? ` If ${packs[0]} is installed elsewhere, set ${variable} to its path.` : [],
  );
  return `Install ${packs.join(" and ")} first, on Debian: apt-get install ${packs.join(" ")}.${elsewhere.join("")}`;
}
