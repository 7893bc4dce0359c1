import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { machine } from "./machine.ts";
import { badSignIns } from "./server/figures/bad-sign-ins.ts";
import type { Figure, Numbers } from "./server/figures/figure.ts";
import { fuzz } from "./server/figures/fuzz.ts";
import { idleMemory } from "./server/figures/idle-memory.ts";
import { nodeKilled } from "./server/figures/node-killed.ts";
import { reconnects } from "./server/figures/reconnects.ts";
import { redisKilled } from "./server/figures/redis-killed.ts";
import { relays } from "./server/figures/relays.ts";
import { signIns } from "./server/figures/sign-ins.ts";
import { slowReader } from "./server/figures/slow-reader.ts";
import { twoNodes } from "./server/figures/two-nodes.ts";

const figures: readonly Figure[] = [
  ...[idleMemory, signIns, reconnects, relays, twoNodes],
  ...[slowReader, badSignIns, fuzz, nodeKilled, redisKilled],
];

/**
 * `node bench/server.ts [NAME…]`: measures the server, or only these figures, and prints a table. The results are kept in
 * results/server.json, beside those of figures that were measured before.
 */
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !figures.some((figure) => figure.name === name));
if (unknown.length > 0) throw new Error(`No such figure: ${unknown}. There are ${figures.map(({ name }) => name)}.`);

const results = new URL("results/", import.meta.url);
const file = new URL("server.json", results);
const found: Record<string, Numbers & { met: boolean }> = existsSync(file)
  ? JSON.parse(readFileSync(file, "utf8")).figures
  : {};
console.log("| figure | goal | bonevalue | bare `ws` relay | PeerJS | |\n|---|---|---|---|---|---|");
for (const figure of figures) {
  if (wanted.length > 0 && !wanted.includes(figure.name)) continue;
  const numbers = await figure.measure();
  found[figure.name] = { ...numbers, met: isMet(figure, numbers) };
  console.log(row(figure, numbers));
}
mkdirSync(results, { recursive: true });
writeFileSync(file, `${JSON.stringify({ machine: machine(), figures: found }, null, 2)}\n`);

function isMet({ goal }: Figure, { bonevalue = Number.NaN, bare = Number.NaN }: Numbers): boolean {
  if ("ofBare" in goal) return bonevalue / bare >= goal.ofBare;
  return "atMost" in goal ? bonevalue <= goal.atMost : bonevalue >= goal.atLeast;
}

function row(figure: Figure, numbers: Numbers): string {
  const { title, unit, goal } = figure;
  const [[word, value] = []] = Object.entries(goal);
  const aim = word === "ofBare" ? `≥ ${value} of bare` : `${word === "atMost" ? "≤" : "≥"} ${value} ${unit}`;
  const cell = (number: number | undefined) => {
    if (number === undefined) return "–";
    const ratio = numbers.bonevalue === undefined ? "" : ` (${round(numbers.bonevalue / number)} of it)`;
    return `${round(number)} ${unit}${number === numbers.bonevalue ? "" : ratio}`;
  };
  const notes = Object.entries(numbers.notes ?? {}).map(([what, number]) => `${what}: ${round(number)}`);
  const verdict = [isMet(figure, numbers) ? "met" : "**not met**", ...notes].join("; ");
  return `| ${title} | ${aim} | ${cell(numbers.bonevalue)} | ${cell(numbers.bare)} | ${cell(numbers.PeerJS)} | ${verdict} |`;
}

function round(number: number): string {
  return Math.abs(number) >= 100 ? number.toFixed(0) : number.toPrecision(3);
}
