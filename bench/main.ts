import { parseArgs } from "node:util";
import { parts, scenarios } from "./all.ts";
import { machine } from "./machine.ts";
import { among, type Part } from "./parts/part.ts";
import { publish } from "./report/publish.ts";
import { writeResults } from "./report/results.ts";
import { scenarioLine, tableOf } from "./report/table.ts";
import { type Extent, runRounds } from "./rounds.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { type LoopbackStage, openStage, type Stage } from "./stage.ts";
import { judge } from "./verdict.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string" }, with: { type: "string" }, publish: { type: "boolean" } },
});
const names = [...parts, ...scenarios].map(({ name }) => name);
const unknown = positionals.find((name) => !names.includes(name));
if (unknown !== undefined) {
  console.error(`There is no part "${unknown}": choose from ${names.join(", ")}, or name none for all.`);
  process.exit(1);
}

const isWhole = positionals.length === 0;
// What is published is what all were measured for in one run, but for a part that is told to replace its own.
const isPublished = isWhole || values.publish === true;
const isWanted = ({ name }: { name: string }) => isWhole || positionals.includes(name);
const extent: Extent = values.rounds
  ? { rounds: Number(values.rounds), time: Number.POSITIVE_INFINITY }
  : { rounds: 7, time: isPublished ? Number.POSITIVE_INFINITY : 35_000 };

const stage = await openStage();
try {
  for (const part of parts.filter(isWanted)) await runPart(part, stage);
  for (const scenario of scenarios.filter(isWanted)) await runScenario(scenario, stage);
  if (isPublished) publish();
} finally {
  await stage.close();
  // PeerJS's server has timers that nobody can stop.
  setTimeout(() => process.exit(), 0);
}

async function runPart(whole: Part, stage: Stage): Promise<void> {
  const part = among(whole, values.with?.split(","));
  const findings = judge(part, await runRounds(part, stage, extent));
  for (const finding of findings) console.log(`${tableOf(finding)}\n`);
  save(part.name, stage, findings);
}

async function runScenario(scenario: Scenario, stage: LoopbackStage): Promise<void> {
  console.log(`${scenario.name} · ${scenario.title}`);
  const observations = await scenario.run(stage);
  for (const observation of observations) console.log(`  ${scenarioLine(observation)}`);
  console.log();
  save(scenario.name, stage, observations);
}

function save(name: string, { version }: Stage, found: unknown): void {
  if (isPublished) writeResults(name, { ...machine(), chromium: version, found });
}
