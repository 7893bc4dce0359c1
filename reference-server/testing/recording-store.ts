import type { Store } from "../store/store.ts";

/** The calls of a store: the method, and its arguments as JSON. */
export type Calls = [method: string, args: string][];

/** Wraps a store and records its calls. */
export function recordCalls(store: Store): { store: Store; calls: Calls } {
  const calls: Calls = [];
  const watched = Object.fromEntries(
    Object.entries(store).map(([name, method]) => [
      name,
      (...args: unknown[]) => {
        calls.push([name, JSON.stringify(args)]);
        return method(...args);
      },
    ]),
  );
  return { store: watched as unknown as Store, calls };
}
