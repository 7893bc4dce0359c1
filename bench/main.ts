import { parseArgs } from "node:util";
import { parts, scenarios } from "./all.ts";
import { type BenchEnvironment, type LoopbackEnvironment, openEnvironment } from "./environment.ts";
import { evaluate } from "./goals.ts";
import { machine } from "./machine.ts";
import { type Part, restrictTo } from "./parts/part.ts";
import { publish } from "./report/publish.ts";
import { writeResults } from "./report/results.ts";
import { scenarioLine, tableOf } from "./report/table.ts";
import { type RoundLimit, runRounds } from "./rounds.ts";
import type { Scenario } from "./scenarios/scenario.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string" }, with: { type: "string" }, publish: { type: "boolean" } },
});
const names = [...parts, ...scenarios].map(({ name }) => name);
const unknown = positionals.find((name) => !names.includes(name));
if (unknown !== undefined) {
  console.error(`Unknown part "${unknown}". Choose from ${names.join(", ")}, or name none for all.`);
  process.exit(1);
}

const isWhole = positionals.length === 0;
// Publishes results of a complete run, and of single parts only with --publish.
const isPublished = isWhole || values.publish === true;
const isWanted = ({ name }: { name: string }) => isWhole || positionals.includes(name);
const extent: RoundLimit = values.rounds
  ? { rounds: Number(values.rounds), time: Number.POSITIVE_INFINITY }
  : { rounds: 7, time: isPublished ? Number.POSITIVE_INFINITY : 35_000 };

const environment = await openEnvironment();
try {
  for (const part of parts.filter(isWanted)) await runPart(part, environment);
  for (const scenario of scenarios.filter(isWanted)) await runScenario(scenario, environment);
  if (isPublished) publish();
} finally {
  await environment.close();
  // PeerJS's server has timers that cannot be stopped.
  setTimeout(() => process.exit(), 0);
}

async function runPart(whole: Part, shared: BenchEnvironment): Promise<void> {
  const part = restrictTo(whole, values.with?.split(","));
  const own = await part.open?.();
  const environment = own ?? shared;
  const findings = evaluate(part, await runRounds(part, environment, extent).finally(own?.close));
  for (const finding of findings) console.log(`${tableOf(finding)}\n`);
  save(part.name, environment, findings);
}

async function runScenario(scenario: Scenario, environment: LoopbackEnvironment): Promise<void> {
  console.log(`${scenario.name} · ${scenario.title}`);
  const observations = await scenario.run(environment);
  for (const observation of observations) console.log(`  ${scenarioLine(observation)}`);
  console.log();
  save(scenario.name, environment, observations);
}

function save(name: string, { version }: BenchEnvironment, found: unknown): void {
  if (isPublished) writeResults(name, { ...machine(), chromium: version, found });
}
