import type { LoopbackEnvironment } from "../environment.ts";

/** Something that happens once, and what is observed of it. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  run(environment: LoopbackEnvironment): Promise<readonly Observation[]>;
}

/** One observation, and what it should be. */
export interface Observation {
  readonly what: string;
  readonly value: number | string;
  readonly unit?: string;
  readonly atMost?: number;
  readonly atLeast?: number;
  /** Where a limit is given. */
  readonly met?: boolean;
}

/** An observation that has a limit, judged. */
export function limited(
  what: string,
  value: number,
  unit: string,
  limits: { atMost?: number; atLeast?: number },
): Observation {
  const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = limits;
  return { what, value, unit, ...limits, met: value >= atLeast && value <= atMost };
}
