import type { LibraryResult, MetricResult } from "../goals.ts";
import { short } from "./table.ts";

const width = 720;
const left = 110;
const right = 150;
const rowHeight = 26;
const top = 44;

const style = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; }
  .quiet { fill: #59636e; font-size: 12px; }
  .bar { fill: #8c959f; }
  .ours { fill: #0969da; }
  .range, .raw { stroke: #1f2328; }
  .raw { stroke-dasharray: 3 3; opacity: 0.6; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .quiet { fill: #9198a1; }
    .bar { fill: #656c76; }
    .ours { fill: #4493f8; }
    .range, .raw { stroke: #f0f6fc; }
  }`;

/** Draws a result as a bar chart: the median of each library's ratio to raw, with a line for its range. */
export function plotOf({ metric, rounds, libraries }: MetricResult): string {
  const rows = libraries.map((standing) => ({ standing, ratio: standing.toRaw ?? standing.number }));
  const largest = Math.max(1, ...rows.map(({ ratio }) => ratio.most));
  const x = (ratio: number) => Math.round(left + ((width - left - right) * ratio) / largest);
  const height = top + rows.length * rowHeight + 12;
  const bars = rows.map(({ standing, ratio }, index) => {
    const y = top + index * rowHeight;
    const middle = y + 10;
    return `
  <text x="${left - 8}" y="${y + 15}" text-anchor="end">${escaped(standing.name)}</text>
  <rect class="${standing.name === "bonevalue" ? "ours" : "bar"}" x="${left}" y="${y}" width="${x(ratio.median) - left}" height="20" rx="2"/>
  <path class="range" d="M${x(ratio.least)} ${middle}H${x(ratio.most)}M${x(ratio.least)} ${middle - 4}v8M${x(ratio.most)} ${middle - 4}v8"/>
  <text class="quiet" x="${x(ratio.most) + 8}" y="${y + 15}">${escaped(label(standing, metric.unit))}</text>`;
  });
  const isRatio = libraries.some(({ toRaw }) => toRaw);
  const note = `Ratio to the raw channel in the same round; median and range of ${rounds} rounds. ${metric.better === "more" ? "More" : "Less"} is better.`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(metric.title)}">
<style>${style}
</style>
  <text class="title" x="8" y="16">${escaped(metric.title)}</text>
  <text class="quiet" x="8" y="33">${escaped(isRatio ? note : "The value itself.")}</text>${bars.join("")}
${isRatio || metric.isRatio ? `  <path class="raw" d="M${x(1)} ${top - 4}V${height - 10}"/>\n` : ""}</svg>
`;
}

function label({ number, toRaw }: LibraryResult, unit: string): string {
  const own = `${short(number.median)} ${unit}`.trim();
  return toRaw ? `× ${short(toRaw.median)} · ${own}` : own;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
