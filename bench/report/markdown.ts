import type { GoalResult, MetricResult } from "../goals.ts";
import { badCable, networkParts } from "../parts/network.ts";
import type { Part } from "../parts/part.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import { serverMetrics } from "../server/metrics/all.ts";
import { readPart, readScenario, readServerResults } from "./results.ts";
import { serverHead, serverRow } from "./server-table.ts";
import { scenarioLine, short, spread } from "./table.ts";

/** The path of a metric's plot, relative to docs/. */
export function plotPath({ part, metric }: MetricResult): string {
  return `img/bench-${part}-${metric.key}.svg`;
}

/** Renders docs/bench.md from the last results. */
export function renderPage(parts: readonly Part[], scenarios: readonly Scenario[]): string {
  return [
    head,
    ...parts.flatMap(({ name }) => readPart(name)?.found.map(sectionOf) ?? []),
    "## Memory and slow receivers",
    ...scenarios.flatMap(({ name, title }) => {
      const found = readScenario(name)?.found;
      if (!found) return [];
      return [`**${title}**`, "", ...found.map((observation) => `- ${scenarioLine(observation)}`)].join("\n");
    }),
    networkSection(),
    "## The server",
    serverTable(),
    `Measured on ${place(parts)}.`,
  ]
    .join("\n\n")
    .concat("\n");
}

const head = `<!-- Written by bench/report/markdown.ts from bench/results: run \`npm run bench\`, do not edit. -->

# Benchmarks

\`npm run bench\` measures all libraries in one run, in Chromium, in interleaved rounds. \`npm run bench -- calls\` measures one part.
Every number is the median of the rounds, with its range. **×** is the ratio to the bare data channel (*raw*) in the same round.
Compare ratios, because two pages, their browser and the bench share the machine, whose speed changes from minute to minute.
The bare channel sends messages of 64 KiB. It waits at 256 KiB buffered for bulk data, and at 64 KiB beside calls. *raw, batched*
sends all calls of one microtask in one message, and is the platform's limit for concurrent calls. This library's high-water mark
grows while there are no calls; *bonevalue at 64 KiB* keeps the initial mark. *bonevalue by relay* is a link through the discovery
server, between two browsers; *relay, unencrypted* is a pair of bare WebSockets through the same relay, with a window of
256 KiB. Missed goals are marked.`;

function sectionOf(finding: MetricResult): string {
  const { metric, rounds, libraries, goals } = finding;
  const rows = libraries.map(
    ({ name, number, toRaw }) => `| ${name} | ${spread(number)} | ${toRaw ? `× ${spread(toRaw)}` : ""} |`,
  );
  return [
    `## ${metric.title}`,
    `![${metric.title}: one bar for each library](${plotPath(finding)})`,
    [`| ${rounds} rounds | ${metric.unit || "number"} | to raw |`, "|---|---|---|", ...rows].join("\n"),
    goals.map((verdict) => `- ${goalOf(verdict)}`).join("\n"),
  ].join("\n\n");
}

function goalOf({ goal, ratio, met }: GoalResult): string {
  const wanted = goal.atLeast === undefined ? `at most ${goal.atMost}` : `at least ${goal.atLeast}`;
  const whose = goal.of ? `${goal.of}: ` : "";
  return `${whose}${goal.against ? `against ${goal.against}` : "the value"} ${wanted}: ${short(ratio.median)}, ${met ? "met" : "**missed**"}`;
}

function networkSection(): string {
  const found = networkParts.flatMap(({ name }) => readPart(name)?.found ?? []);
  return [
    "## On a lossy network",
    `\`node bench/network.ts\`: two browsers in network namespaces, with ${badCable.latency} ms of latency each way and ${badCable.loss * 100} % packet loss.`,
    ["| | raw | bonevalue | to raw |", "|---|---|---|---|", ...found.map(networkRow)].join("\n"),
  ].join("\n\n");
}

function networkRow({ metric, libraries, goals }: MetricResult): string {
  const cells = libraries.map(({ number }) => `${spread(number)} ${metric.unit}`);
  const ratio = libraries.find(({ name }) => name === "bonevalue")?.toRaw;
  const verdicts = goals.map(goalOf).map((goal) => `; ${goal}`);
  return `| ${metric.title} | ${cells.join(" | ")} | ${ratio ? `× ${spread(ratio)}` : ""}${verdicts.join("")} |`;
}

function serverTable(): string {
  const found = readServerResults()?.metrics ?? {};
  return [
    serverHead,
    ...serverMetrics.flatMap((metric) => (found[metric.name] ? serverRow(metric, found[metric.name]!) : [])),
  ].join("\n");
}

function place(parts: readonly Part[]): string {
  const measured = parts.flatMap(({ name }) => readPart(name) ?? [])[0];
  if (!measured) return "no machine yet";
  const { cores, processor, chromium, node, date } = measured;
  return `${cores} cores of an ${processor}, Chromium ${chromium}, Node ${node}, ${date}`;
}
