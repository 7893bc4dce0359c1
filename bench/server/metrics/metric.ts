import type { ServerKind } from "../child.ts";

/** A row of the server's table. */
export interface ServerMetric {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  /** A limit for our number, or for its ratio to the bare relay's. */
  readonly goal: { readonly atMost: number } | { readonly atLeast: number } | { readonly ofBare: number };
  measure(): Promise<ServerNumbers>;
}

/** The number of each server that supports the operation. `notes` belong to our server. */
export type ServerNumbers = { readonly [Which in ServerKind]?: number } & {
  readonly notes?: Readonly<Record<string, number>>;
};
