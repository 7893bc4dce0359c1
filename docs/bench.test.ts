import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parts, scenarios } from "../bench/all.ts";
import { pageOf, plotName } from "../bench/report/page.ts";
import { plotOf } from "../bench/report/plot.ts";
import { readPart, readScenario } from "../bench/report/results.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

test("the page about speed shows what was measured last, and its plots do", () => {
  const found = parts.flatMap(({ name }) => readPart(name)?.found ?? []);
  expect(found.length).toBeGreaterThan(0);
  expect(read("bench.md")).toBe(pageOf(parts, scenarios));
  for (const finding of found) expect(read(plotName(finding))).toBe(plotOf(finding));
});

test("the README's sizes are those that were measured last", () => {
  const [row = ""] = /^\| minified and gzipped .*$/m.exec(read("../README.md")) ?? [];
  const sizes = new Map(readScenario("sizes")?.found.map(({ what, value }) => [what, Math.round(Number(value))]));
  const columns = ["bonevalue", "PeerJS", "Trystero, without a strategy", "simple-peer"];
  expect([...row.matchAll(/\d+(?= KB)/g)].map(Number)).toEqual(columns.map((name) => sizes.get(name)));
});
