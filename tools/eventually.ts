import { vi } from "vitest";

/** In ms. */
interface WaitOptions {
  readonly timeout?: number;
  readonly interval?: number;
}

// Vitest's default of one second is too short on a busy machine.
const timeout = 30_000;

/** Repeats `look` until it no longer throws. Returns its result. */
export function eventually<T>(look: () => T | Promise<T>, options: WaitOptions = {}): Promise<T> {
  return vi.waitFor(look, { timeout, ...options });
}

/** Repeats `look` until it returns a truthy value. Returns that value. */
export function until<T>(look: () => T | Promise<T>, options: WaitOptions = {}): ReturnType<typeof vi.waitUntil<T>> {
  return vi.waitUntil(look, { timeout, ...options });
}
