import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parts, scenarios } from "../bench/all.ts";
import { pageOf, plotName } from "../bench/report/page.ts";
import { plotOf } from "../bench/report/plot.ts";
import { readPart } from "../bench/report/results.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

test("the page about speed shows what was measured last, and its plots do", () => {
  const found = parts.flatMap(({ name }) => readPart(name)?.found ?? []);
  expect(found.length).toBeGreaterThan(0);
  expect(read("bench.md")).toBe(pageOf(parts, scenarios));
  for (const finding of found) expect(read(plotName(finding))).toBe(plotOf(finding));
});
