import { expect, test } from "vitest";
import { coalesce } from "./coalesce.ts";

/** Runs that the test ends. */
function controlled() {
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const run = () => new Promise<void>((resolve, reject) => ends.push({ resolve, reject }));
  return { ends, ask: coalesce(run) };
}

test("all calls during a run share the next run", async () => {
  const { ends, ask } = controlled();
  const first = ask();
  const [second, third] = [ask(), ask()];
  expect(second).toBe(third);
  expect(ends).toHaveLength(1);
  ends[0]!.resolve();
  await first;
  await Promise.resolve();
  await Promise.resolve();
  expect(ends).toHaveLength(2);
  ends[1]!.resolve();
  await second;
  void ask();
  expect(ends).toHaveLength(3);
});

test("a failed run rejects only the calls that waited for it", async () => {
  const { ends, ask } = controlled();
  const [first, second] = [ask(), ask()];
  ends[0]!.reject(new Error("down"));
  await expect(first).rejects.toThrow("down");
  await Promise.resolve();
  ends[1]!.resolve();
  await second;
});
