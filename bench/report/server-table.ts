import type { ServerMetric, ServerNumbers } from "../server/metrics/metric.ts";
import { short } from "./table.ts";

/** Whether a metric is what it should be. */
export function isMet({ goal }: ServerMetric, { bonevalue = Number.NaN, bare = Number.NaN }: ServerNumbers): boolean {
  if ("ofBare" in goal) return bonevalue / bare >= goal.ofBare;
  return "atMost" in goal ? bonevalue <= goal.atMost : bonevalue >= goal.atLeast;
}

/** The head of a table in Markdown, whose rows {@link serverRow} makes. */
export const serverHead: string =
  "| metric | goal | bonevalue | bare `ws` relay | PeerJS's server | |\n|---|---|---|---|---|---|";

/** One metric as a row of Markdown. */
export function serverRow(metric: ServerMetric, numbers: ServerNumbers): string {
  const { title, unit, goal } = metric;
  const [[word, value] = []] = Object.entries(goal);
  const aim = word === "ofBare" ? `≥ ${value} of bare` : `${word === "atMost" ? "≤" : "≥"} ${value} ${unit}`;
  const cell = (number: number | undefined) => {
    if (number === undefined) return "–";
    const ratio = numbers.bonevalue === undefined ? "" : ` (${short(numbers.bonevalue / number)} of it)`;
    return `${short(number)} ${unit}${number === numbers.bonevalue ? "" : ratio}`.trim();
  };
  const notes = Object.entries(numbers.notes ?? {}).map(([what, number]) => `${what}: ${short(number)}`);
  const verdict = [isMet(metric, numbers) ? "met" : "**not met**", ...notes].join("; ");
  return `| ${title} | ${aim} | ${cell(numbers.bonevalue)} | ${cell(numbers.bare)} | ${cell(numbers.PeerJS)} | ${verdict} |`;
}
