import type { GoalResult, MetricResult } from "../goals.ts";
import type { Observation } from "../scenarios/scenario.ts";
import type { Summary } from "../statistics.ts";

/** Formats a result for a terminal. */
export function tableOf({ part, metric, rounds, libraries, goals }: MetricResult): string {
  const head = `${part} · ${metric.title}${metric.unit && `, ${metric.unit}`} (${rounds} rounds)`;
  const rows = libraries.map(({ name, number, toRaw }) =>
    [name.padEnd(12), spread(number).padEnd(30), toRaw ? `× ${spread(toRaw)}` : ""].join("  ").trimEnd(),
  );
  return [head, ...rows.map((row) => `  ${row}`), ...goals.map((verdict) => `  ${sentence(verdict)}`)].join("\n");
}

function sentence({ goal, ratio, met }: GoalResult): string {
  const wanted = goal.atLeast === undefined ? `at most ${goal.atMost}` : `at least ${goal.atLeast}`;
  const whose = goal.of ? `${goal.of}, ` : "";
  return `${met ? "met" : "MISSED"}: ${whose}${goal.against ? `against ${goal.against}` : "itself"} ${wanted}: ${spread(ratio)}`;
}

/** Formats a median and its range. */
export function spread({ median, least, most }: Summary): string {
  return `${short(median)} (${short(least)} – ${short(most)})`;
}

/** Formats a number with three significant digits. */
export function short(number: number): string {
  if (Math.abs(number) >= 100) return Math.round(number).toLocaleString("en");
  return Number(number.toPrecision(3)).toString();
}

/** Formats one observation of a scenario. */
export function scenarioLine({ what, value, unit = "", atMost, atLeast, met }: Observation): string {
  const measured = `${what}: ${typeof value === "number" ? short(value) : value} ${unit}`.trimEnd();
  if (met === undefined) return measured;
  const limit = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`;
  return `${measured} (${met ? "met" : "MISSED"}: ${limit})`;
}
