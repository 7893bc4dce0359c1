import { writeFileSync } from "node:fs";
import { root } from "../../tools/entries.ts";
import { parts, scenarios } from "../all.ts";
import { pageOf, plotName } from "./page.ts";
import { plotOf } from "./plot.ts";
import { readPart } from "./results.ts";

/** Writes docs/bench.md and its plots from what was measured last. */
export function publish(): void {
  for (const finding of parts.flatMap(({ name }) => readPart(name)?.found ?? [])) {
    writeFileSync(`${root}docs/${plotName(finding)}`, plotOf(finding));
  }
  writeFileSync(`${root}docs/bench.md`, pageOf(parts, scenarios));
}
