import type { Observation } from "../scenarios/scenario.ts";
import type { Summary } from "../statistics.ts";
import type { Finding, Verdict } from "../verdict.ts";

/** A finding as lines for a terminal. */
export function tableOf({ part, figure, rounds, contestants, goals }: Finding): string {
  const head = `${part} · ${figure.title}${figure.unit && `, ${figure.unit}`} (${rounds} rounds)`;
  const rows = contestants.map(({ name, number, toRaw }) =>
    [name.padEnd(12), spread(number).padEnd(30), toRaw ? `× ${spread(toRaw)}` : ""].join("  ").trimEnd(),
  );
  return [head, ...rows.map((row) => `  ${row}`), ...goals.map((verdict) => `  ${sentence(verdict)}`)].join("\n");
}

function sentence({ goal, ratio, met }: Verdict): string {
  const wanted = goal.atLeast === undefined ? `at most ${goal.atMost}` : `at least ${goal.atLeast}`;
  const whose = goal.of ? `${goal.of}, ` : "";
  return `${met ? "met" : "MISSED"}: ${whose}${goal.against ? `against ${goal.against}` : "itself"} ${wanted}: ${spread(ratio)}`;
}

/** A median with its range. */
export function spread({ median, least, most }: Summary): string {
  return `${short(median)} (${short(least)} – ${short(most)})`;
}

/** A number with three digits that mean something. */
export function short(number: number): string {
  if (Math.abs(number) >= 100) return Math.round(number).toLocaleString("en");
  return Number(number.toPrecision(3)).toString();
}

/** One observation of a scenario as a line. */
export function scenarioLine({ what, value, unit = "", atMost, atLeast, met }: Observation): string {
  const measured = `${what}: ${typeof value === "number" ? short(value) : value} ${unit}`.trimEnd();
  if (met === undefined) return measured;
  const limit = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`;
  return `${measured} (${met ? "met" : "MISSED"}: ${limit})`;
}
