/**
 * Returns the name of a built-in type, such as `Date`, `Map` or `Blob`. Unlike `instanceof` it recognizes objects of
 * another realm too: those of an iframe, a Node `vm` context, or a test environment.
 */
export function typeTag(value: unknown): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

/** Whether `value` is an instance of the global class `name`, in this realm or another. */
export function isInstanceOf(value: unknown, name: string): boolean {
  const Class = (globalThis as Record<string, unknown>)[name];
  return typeTag(value) === name || (typeof Class === "function" && value instanceof Class);
}
