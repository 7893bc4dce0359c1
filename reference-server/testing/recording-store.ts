import type { Store } from "../store/store.ts";

/** What a store was asked: the method, and its arguments as JSON. */
export type Calls = [method: string, args: string][];

/** A store that writes down what it is asked. */
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
