import { badCable, network } from "../parts/network.ts";
import type { Part } from "../parts/part.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import { figures } from "../server/figures/all.ts";
import type { Finding, Verdict } from "../verdict.ts";
import { readPart, readScenario, readServerResults } from "./results.ts";
import { serverHead, serverRow } from "./server-table.ts";
import { scenarioLine, short, spread } from "./table.ts";

/** Where the plot of a figure is, as seen from docs/. */
export function plotName({ part, figure }: Finding): string {
  return `img/bench-${part}-${figure.key}.svg`;
}

/** docs/bench.md, from what was measured last. */
export function pageOf(parts: readonly Part[], scenarios: readonly Scenario[]): string {
  return [
    head,
    ...parts.flatMap(({ name }) => readPart(name)?.found.map(sectionOf) ?? []),
    "## What happens to memory, and to who is slow",
    ...scenarios.map(({ name, title }) => {
      const found = readScenario(name)?.found ?? [];
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

const head = `<!-- Written by bench/report/page.ts from bench/results: run \`npm run bench\`, do not edit. -->

# What it costs

\`npm run bench\` measures all contestants in one run, in real Chromium, in interleaved rounds; \`npm run bench -- calls\` one part
alone. Every number is the median of the rounds, with its range; **×** is the ratio to the bare data channel in the same round,
which is what to look at: two pages, their browser and the bench share the machine, and its speed changes from minute to minute.
The bare channel sends messages of 64 KiB, and stops at 256 KiB buffered for bulk and at 64 KiB beside calls. This
library's own mark grows while nobody calls; *bonevalue at 64 KiB* keeps the one that it begins with. A figure that misses its goal
says so.`;

function sectionOf(finding: Finding): string {
  const { figure, rounds, contestants, goals } = finding;
  const rows = contestants.map(
    ({ name, number, toRaw }) => `| ${name} | ${spread(number)} | ${toRaw ? `× ${spread(toRaw)}` : ""} |`,
  );
  return [
    `## ${figure.title}`,
    `![${figure.title}: one bar for each contestant](${plotName(finding)})`,
    [`| ${rounds} rounds | ${figure.unit || "number"} | to raw |`, "|---|---|---|", ...rows].join("\n"),
    goals.map((verdict) => `- ${goalOf(verdict)}`).join("\n"),
  ].join("\n\n");
}

function goalOf({ goal, ratio, met }: Verdict): string {
  const wanted = goal.atLeast === undefined ? `at most ${goal.atMost}` : `at least ${goal.atLeast}`;
  const whose = goal.of ? `${goal.of}: ` : "";
  return `${whose}${goal.against ? `against ${goal.against}` : "the number itself"} ${wanted}: ${short(ratio.median)}, ${met ? "met" : "**missed**"}`;
}

function networkSection(): string {
  const found = readPart(network.name)?.found ?? [];
  return [
    "## On a bad cable",
    `\`node bench/network.ts\`: two browsers in network namespaces, ${badCable.latency} ms each way between them, ${badCable.loss * 100} % of the packets lost.`,
    ["| | raw | bonevalue | to raw |", "|---|---|---|---|", ...found.map(networkRow)].join("\n"),
  ].join("\n\n");
}

function networkRow({ figure, contestants, goals }: Finding): string {
  const cells = contestants.map(({ number }) => `${spread(number)} ${figure.unit}`);
  const ratio = contestants.find(({ name }) => name === "bonevalue")?.toRaw;
  const verdicts = goals.map(goalOf).map((goal) => `; ${goal}`);
  return `| ${figure.title} | ${cells.join(" | ")} | ${ratio ? `× ${spread(ratio)}` : ""}${verdicts.join("")} |`;
}

function serverTable(): string {
  const found = readServerResults()?.figures ?? {};
  return [
    serverHead,
    ...figures.flatMap((figure) => (found[figure.name] ? serverRow(figure, found[figure.name]!) : [])),
  ].join("\n");
}

function place(parts: readonly Part[]): string {
  const measured = parts.flatMap(({ name }) => readPart(name) ?? [])[0];
  if (!measured) return "no machine yet";
  const { cores, processor, chromium, node, date } = measured;
  return `${cores} cores of an ${processor}, Chromium ${chromium}, Node ${node}, ${date}`;
}
