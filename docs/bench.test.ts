import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parts, scenarios } from "../bench/all.ts";
import { plotPath, renderPage } from "../bench/report/markdown.ts";
import { plotOf } from "../bench/report/plot.ts";
import { readPart, readScenario } from "../bench/report/results.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

test("the page about speed shows what was measured last, and its plots do", () => {
  const found = parts.flatMap(({ name }) => readPart(name)?.found ?? []);
  expect(found.length).toBeGreaterThan(0);
  expect(read("bench.md")).toBe(renderPage(parts, scenarios));
  for (const finding of found) expect(read(plotPath(finding))).toBe(plotOf(finding));
});

const columns = ["bonevalue", "PeerJS", "Trystero", "simple-peer"] as const;

/** The numbers in the README's row of that title. */
function numbersOf(title: string, pattern: RegExp): readonly number[] {
  const row = read("../README.md")
    .split("\n")
    .find((line) => line.startsWith(`| ${title}`));
  const [, , ...cells] = row?.split("|") ?? [];
  return cells.flatMap((cell) => [...cell.matchAll(pattern)].map(([, number = ""]) => Number(number.replace(" ", ""))));
}

test("the README's sizes are those that were measured last", () => {
  const sizes = new Map(readScenario("sizes")?.found.map(({ what, value }) => [what, Math.round(Number(value))]));
  const measured = columns.map((name) => sizes.get(name) ?? sizes.get(`${name}, without a strategy`));
  expect(numbersOf("minified and gzipped", /(\d+) KB/g)).toEqual(measured);
});

test("the FAQ gives the sizes of the README", () => {
  const [, ...sizes] = /\*\*(\d+) KB\*\*: (\d+) at first.* Identity adds (\d+) /.exec(read("../README.md")) ?? [];
  const answer = /(\d+) KB minified and gzipped: (\d+) KB at first.* adds (\d+) KB\./.exec(read("help/faq.md")) ?? [];
  expect(answer.slice(1)).toEqual(sizes);
  expect(sizes).toHaveLength(3);
});

test.for([
  ["p50", /([\d.]+) ms/g],
  ["rate", /; ([\d ]+\d)/g],
] as const)("the README's figures of calls are those that were measured last, to two digits: %s", ([key, pattern]) => {
  const found = readPart("calls")?.found.find(({ metric }) => metric.key === key);
  const medians = new Map(found?.libraries.map(({ name, number }) => [name, Number(number.median.toPrecision(2))]));
  expect(numbersOf("a call and its reply", pattern)).toEqual(columns.map((name) => medians.get(name)));
});
