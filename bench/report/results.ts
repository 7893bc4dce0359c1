import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { MetricResult } from "../goals.ts";
import type { Machine } from "../machine.ts";
import type { Observation } from "../scenarios/scenario.ts";
import type { ServerNumbers } from "../server/metrics/metric.ts";

/** What one part or one scenario found, and where. */
export interface Results<Found> extends Machine {
  readonly chromium: string;
  readonly found: Found;
}

/** What was found of the server, by the metrics' names. */
export interface ServerResults {
  readonly machine: Machine;
  readonly metrics: Readonly<Record<string, ServerNumbers & { readonly met: boolean }>>;
}

const folder = new URL("../results/", import.meta.url);

/** What a part found when it was last measured, if it ever was. */
export function readPart(name: string): Results<readonly MetricResult[]> | undefined {
  return read(name) as Results<readonly MetricResult[]> | undefined;
}

/** What was observed of a scenario when it last ran, if it ever did. */
export function readScenario(name: string): Results<readonly Observation[]> | undefined {
  return read(name) as Results<readonly Observation[]> | undefined;
}

/** The server's metrics, each as it was last measured. */
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
