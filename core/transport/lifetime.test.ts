import { expect, test } from "vitest";
import { createLifetime } from "./lifetime.ts";

/** The code with which the link ends when `count` messages of `size` bytes arrive before there is a listener. */
async function endAfter(count: number, size: number): Promise<string | undefined> {
  const lifetime = createLifetime(() => {});
  for (let index = 0; index < count; index++)
    lifetime.notify((listener) => listener.message("bulk", new Uint8Array(size)), size);
  lifetime.end();
  return (await lifetime.closed)?.code;
}

test.for([
  { count: 1_000, size: 100, code: undefined },
  { count: 20, size: 65_536, code: "protocol" },
  // Each takes memory of its own.
  { count: 100_000, size: 1, code: "protocol" },
  { count: 100_000, size: 0, code: "protocol" },
])(
  "$count messages of $size bytes before there is a listener end the link with $code",
  async ({ count, size, code }) => {
    expect(await endAfter(count, size)).toBe(code);
  },
);
