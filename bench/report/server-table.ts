import type { Figure, Numbers } from "../server/figures/figure.ts";
import { short } from "./table.ts";

/** Whether a figure is what it should be. */
export function isMet({ goal }: Figure, { bonevalue = Number.NaN, bare = Number.NaN }: Numbers): boolean {
  if ("ofBare" in goal) return bonevalue / bare >= goal.ofBare;
  return "atMost" in goal ? bonevalue <= goal.atMost : bonevalue >= goal.atLeast;
}

/** The head of a table in Markdown, whose rows {@link serverRow} makes. */
export const serverHead: string =
  "| figure | goal | bonevalue | bare `ws` relay | PeerJS's server | |\n|---|---|---|---|---|---|";

/** One figure as a row of Markdown. */
export function serverRow(figure: Figure, numbers: Numbers): string {
  const { title, unit, goal } = figure;
  const [[word, value] = []] = Object.entries(goal);
  const aim = word === "ofBare" ? `≥ ${value} of bare` : `${word === "atMost" ? "≤" : "≥"} ${value} ${unit}`;
  const cell = (number: number | undefined) => {
    if (number === undefined) return "–";
    const ratio = numbers.bonevalue === undefined ? "" : ` (${short(numbers.bonevalue / number)} of it)`;
    return `${short(number)} ${unit}${number === numbers.bonevalue ? "" : ratio}`.trim();
  };
  const notes = Object.entries(numbers.notes ?? {}).map(([what, number]) => `${what}: ${short(number)}`);
  const verdict = [isMet(figure, numbers) ? "met" : "**not met**", ...notes].join("; ");
  return `| ${title} | ${aim} | ${cell(numbers.bonevalue)} | ${cell(numbers.bare)} | ${cell(numbers.PeerJS)} | ${verdict} |`;
}
