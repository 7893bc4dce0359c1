import { availableParallelism, cpus } from "node:os";

/** What a result was measured on. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly node: string;
  /** When, in days. */
  readonly date: string;
}

/** This machine, today. */
export function machine(): Machine {
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    node: process.versions.node,
    date: new Date().toISOString().slice(0, "2000-01-01".length),
  };
}
