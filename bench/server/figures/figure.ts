import type { Kind } from "../child.ts";

/** One row of the table. */
export interface Figure {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  /** For our own number, or for its ratio to the bare relay's. */
  readonly goal: { readonly atMost: number } | { readonly atLeast: number } | { readonly ofBare: number };
  measure(): Promise<Numbers>;
}

/** What was found, for each server that can do the same; `notes` belong to ours. */
export type Numbers = { readonly [Which in Kind]?: number } & { readonly notes?: Readonly<Record<string, number>> };
