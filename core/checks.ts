/** Whether a value that arrived is a `T`. What it does not speak of, such as an object's further fields, may be anything. */
export type Check<T> = (value: unknown) => value is T;

/** Takes everything. */
export const anything: Check<unknown> = (_value): _value is unknown => true;

/** Takes texts of at most `longest` UTF-16 units. */
export function text(longest: number = Number.POSITIVE_INFINITY): Check<string> {
  return (value): value is string => typeof value === "string" && value.length <= longest;
}

/** Takes whole numbers from `least` on. */
export function count(least: number): Check<number> {
  return (value): value is number => Number.isSafeInteger(value) && (value as number) >= least;
}

/** Takes what `check` takes, and `undefined`. */
export function optional<T>(check: Check<T>): Check<T | undefined> {
  return (value): value is T | undefined => value === undefined || check(value);
}

/** Takes lists of what `item` takes. */
export function listOf<T>(item: Check<T>): Check<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.every(item);
}

/** Takes objects whose fields are as `fields` says. */
export function object<T>(fields: { readonly [Key in keyof T]-?: Check<T[Key]> }): Check<T> {
  const checks = Object.entries<Check<unknown>>(fields);
  return (value): value is T => {
    if (typeof value !== "object" || value === null) return false;
    return checks.every(([key, check]) => check((value as Readonly<Record<string, unknown>>)[key]));
  };
}
