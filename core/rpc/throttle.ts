import type { Deadlines } from "./deadlines.ts";

// Values of other keys within the same second share one key.
const maxKeys = 64;
const otherKeys = "others";
const intervalMs = 1_000;

/** Passes values on, at most one a second for each key. */
export interface Throttle<Value> {
  /** Adds a value, which stands for `count` equal ones. */
  add(key: string, value: Value, count?: number): void;
  /** Passes on the values that it holds, and stops. */
  stop(): void;
}

/**
 * Creates a throttle. The first value of a key is passed on at once. Of the values that follow within a second, the latest
 * is passed on at its end, with the number of all as `count`.
 */
export function createThrottle<Value>(
  deadlines: Deadlines,
  pass: (key: string, value: Value, count: number) => void,
): Throttle<Value> {
  const held = new Map<string, { value: Value; count: number }>();
  let timer: ReturnType<Deadlines["after"]> | undefined;

  function passHeld(): void {
    timer = undefined;
    for (const [key, { value, count }] of [...held]) {
      held.delete(key);
      if (count > 0) passOn(key, value, count);
    }
  }

  function passOn(key: string, value: Value, count: number): void {
    held.set(key, { value, count: 0 });
    timer ??= deadlines.after(intervalMs, passHeld);
    pass(key, value, count);
  }

  return {
    add(given, value, count = 1) {
      const key = held.has(given) || held.size < maxKeys ? given : otherKeys;
      const earlier = held.get(key);
      if (!earlier) return passOn(key, value, count);
      earlier.value = value;
      earlier.count += count;
    },
    stop() {
      deadlines.stop(timer);
      for (const [key, { value, count }] of held) if (count > 0) pass(key, value, count);
    },
  };
}
