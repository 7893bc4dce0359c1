import { vi } from "vitest";

/** In ms. */
interface Patience {
  readonly timeout?: number;
  readonly interval?: number;
}

// As long as a busy machine may take for what takes milliseconds on a quiet one: vitest waits for one second.
const patience = 30_000;

/** What `look` returns once it no longer throws. */
export function eventually<T>(look: () => T | Promise<T>, options: Patience = {}): Promise<T> {
  return vi.waitFor(look, { timeout: patience, ...options });
}

/** What `look` returns once that is true. */
export function until<T>(look: () => T | Promise<T>, options: Patience = {}): ReturnType<typeof vi.waitUntil<T>> {
  return vi.waitUntil(look, { timeout: patience, ...options });
}
