import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { root } from "../tools/entries.ts";
import { machine } from "./machine.ts";
import { fresh, warm } from "./parts/bulk.ts";
import { calls } from "./parts/calls.ts";
import { first } from "./parts/first.ts";
import { mixed } from "./parts/mixed.ts";
import { among, type Part } from "./parts/part.ts";
import { plotOf } from "./report/plot.ts";
import { scenarioLine, tableOf } from "./report/table.ts";
import { type Extent, runRounds } from "./rounds.ts";
import { lossy } from "./scenarios/lossy.ts";
import { memory, pause } from "./scenarios/memory.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { sizes } from "./scenarios/sizes.ts";
import { state } from "./scenarios/state.ts";
import { openStage, type Stage } from "./stage.ts";
import { judge } from "./verdict.ts";

const parts: readonly Part[] = [calls, warm, fresh, mixed, first];
const scenarios: readonly Scenario[] = [sizes, state, memory, pause, lossy];

const results = fileURLToPath(new URL("results/", import.meta.url));
const plots = `${root}docs/img/`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string" }, with: { type: "string" } },
});
const names = [...parts, ...scenarios].map(({ name }) => name);
const unknown = positionals.find((name) => !names.includes(name));
if (unknown !== undefined) {
  console.error(`There is no part "${unknown}": choose from ${names.join(", ")}, or name none for all.`);
  process.exit(1);
}

const isWhole = positionals.length === 0;
const isWanted = ({ name }: { name: string }) => isWhole || positionals.includes(name);
// A part by itself is for a quick look; a whole run is what is published.
const extent: Extent = values.rounds
  ? { rounds: Number(values.rounds), time: Number.POSITIVE_INFINITY }
  : { rounds: 7, time: isWhole ? Number.POSITIVE_INFINITY : 35_000 };

const stage = await openStage();
try {
  await mkdir(results, { recursive: true });
  await mkdir(plots, { recursive: true });
  for (const part of parts.filter(isWanted)) await runPart(part, stage);
  for (const scenario of scenarios.filter(isWanted)) await runScenario(scenario, stage);
} finally {
  await stage.close();
  // PeerJS's server has timers that nobody can stop.
  setTimeout(() => process.exit(), 0);
}

async function runPart(whole: Part, stage: Stage): Promise<void> {
  const part = among(whole, values.with?.split(","));
  const findings = judge(part, await runRounds(part, stage, extent));
  for (const finding of findings) {
    console.log(`${tableOf(finding)}\n`);
    if (isWhole) await writeFile(`${plots}${part.name}-${finding.figure.key}.svg`, plotOf(finding));
  }
  await save(part.name, stage, findings);
}

async function runScenario(scenario: Scenario, stage: Stage): Promise<void> {
  console.log(`${scenario.name} · ${scenario.title}`);
  const observations = await scenario.run(stage);
  for (const observation of observations) console.log(`  ${scenarioLine(observation)}`);
  console.log();
  await save(scenario.name, stage, observations);
}

async function save(name: string, { version }: Stage, found: unknown): Promise<void> {
  const file = { ...machine(), chromium: version, found };
  await writeFile(`${results}${name}.json`, `${JSON.stringify(file, undefined, 2)}\n`);
}
