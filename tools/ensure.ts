import { execFileSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { chromiumPath } from "./chromium.ts";

/** A program that tests and the demo drive, and that npm cannot bring. */
export type ProgramName = "chromium" | "firefox" | "redis" | "postgres" | "coturn";

interface Program {
  /** As Debian calls it. */
  readonly pack: string;
  readonly present: () => boolean;
}

const programs: Readonly<Record<ProgramName, Program>> = {
  chromium: { pack: "chromium", present: () => chromiumPath() !== undefined },
  firefox: { pack: "firefox-esr", present: () => existsSync("/usr/bin/firefox-esr") },
  redis: { pack: "redis-server", present: () => existsSync("/usr/bin/redis-server") },
  postgres: { pack: "postgresql", present: () => globSync("/usr/lib/postgresql/*/bin/postgres").length > 0 },
  coturn: { pack: "coturn", present: () => existsSync("/usr/bin/turnserver") },
};

/** Installs what is missing where this machine lets us, as root with apt-get; throws what to install where it does not. */
export function ensure(...names: readonly ProgramName[]): void {
  const missing = names.filter((name) => !programs[name].present()).map((name) => programs[name].pack);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) throw new Error(advice(missing));
  console.log(`Installing ${missing.join(" ")} …`);
  apt("update", "-qq");
  apt("install", "-y", "-qq", "--no-install-recommends", ...missing);
}

function apt(...args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  execFileSync("apt-get", args, { env, stdio: ["ignore", "ignore", "inherit"] });
}

function advice(missing: readonly string[]): string {
  const chromium = missing.includes("chromium") ? " A Chromium elsewhere is named by the variable CHROMIUM." : "";
  return `Install ${missing.join(" and ")} first, on Debian: apt-get install ${missing.join(" ")}.${chromium}`;
}
