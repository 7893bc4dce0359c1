import { execFileSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromiumPath } from "./chromium.ts";

/** A program that tests drive, and that npm cannot bring. */
export type ProgramName = "chromium" | "firefox" | "redis" | "postgres";

interface Program {
  /** As Debian calls it. */
  readonly pack: string;
  /** The environment's variable that names it where it is not looked for. */
  readonly variable?: string;
  readonly present: () => boolean;
}

const programs: Readonly<Record<ProgramName, Program>> = {
  chromium: { pack: "chromium", variable: "CHROMIUM", present: () => chromiumPath() !== undefined },
  firefox: { pack: "firefox-esr", present: () => existsSync("/usr/bin/firefox-esr") },
  redis: {
    pack: "redis-server",
    variable: "REDIS_SERVER",
    present: () => named("REDIS_SERVER") || found("redis-server"),
  },
  postgres: {
    pack: "postgresql",
    variable: "POSTGRES_BIN",
    present: () => named("POSTGRES_BIN") || globSync("/usr/lib/postgresql/*/bin/postgres").length > 0,
  },
};

/** Installs what is missing where this machine lets us, as root with apt-get; throws what to install where it does not. */
export function ensure(...names: readonly ProgramName[]): void {
  const missing = names.map((name) => programs[name]).filter(({ present }) => !present());
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !found("apt-get")) throw new Error(advice(missing));
  const packs = missing.map(({ pack }) => pack);
  console.log(`Installing ${packs.join(" ")} …`);
  try {
    apt("update", "-qq");
    apt("install", "-y", "-qq", "--no-install-recommends", ...packs);
  } catch (cause) {
    throw new Error(advice(missing), { cause });
  }
}

function named(variable: string): boolean {
  return process.env[variable] !== undefined;
}

/** As the shell looks for it. */
function found(command: string): boolean {
  const folders = process.env["PATH"]?.split(delimiter) ?? [];
  return folders.some((folder) => existsSync(join(folder, command)));
}

function apt(...args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  execFileSync("apt-get", args, { env, stdio: ["ignore", "ignore", "inherit"] });
}

function advice(missing: readonly Program[]): string {
  const packs = missing.map(({ pack }) => pack);
  const elsewhere = missing.flatMap(({ pack, variable }) =>
    variable ? ` ${variable} names a ${pack} elsewhere.` : [],
  );
  return `Install ${packs.join(" and ")} first, on Debian: apt-get install ${packs.join(" ")}.${elsewhere.join("")}`;
}
