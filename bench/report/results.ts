import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Machine } from "../machine.ts";
import type { Observation } from "../scenarios/scenario.ts";
import type { Numbers } from "../server/figures/figure.ts";
import type { Finding } from "../verdict.ts";

/** What one part or one scenario found, and where. */
export interface Results<Found> extends Machine {
  readonly chromium: string;
  readonly found: Found;
}

/** What was found of the server, by the figures' names. */
export interface ServerResults {
  readonly machine: Machine;
  readonly figures: Readonly<Record<string, Numbers & { readonly met: boolean }>>;
}

const folder = new URL("../results/", import.meta.url);

/** What a part found when it was last measured, if it ever was. */
export function readPart(name: string): Results<readonly Finding[]> | undefined {
  return read(name) as Results<readonly Finding[]> | undefined;
}

/** What was observed of a scenario when it last ran, if it ever did. */
export function readScenario(name: string): Results<readonly Observation[]> | undefined {
  return read(name) as Results<readonly Observation[]> | undefined;
}

/** The server's figures, each as it was last measured. */
export function readServerResults(): ServerResults | undefined {
  return read("server") as ServerResults | undefined;
}

/** Keeps the results of one name, in place of those before. */
export function writeResults(name: string, results: object): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(results, undefined, 2)}\n`);
}

function read(name: string): unknown {
  const file = new URL(`${name}.json`, folder);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}
