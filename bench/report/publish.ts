import { writeFileSync } from "node:fs";
import { root } from "../../tools/entries.ts";
import { parts, scenarios } from "../all.ts";
import { plotPath, renderPage } from "./markdown.ts";
import { plotOf } from "./plot.ts";
import { readPart } from "./results.ts";

/** Writes docs/bench.md and its plots from what was measured last. */
export function publish(): void {
  for (const finding of parts.flatMap(({ name }) => readPart(name)?.found ?? [])) {
    writeFileSync(`${root}docs/${plotPath(finding)}`, plotOf(finding));
  }
  writeFileSync(`${root}docs/bench.md`, renderPage(parts, scenarios));
}
