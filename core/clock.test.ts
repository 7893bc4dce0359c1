import { expect, test, vi } from "vitest";
import { systemClock } from "./clock.ts";

test("now does not change within a turn of the event loop", async () => {
  const platform = vi.spyOn(performance, "now").mockReturnValueOnce(1).mockReturnValueOnce(2);
  await Promise.resolve();
  expect([systemClock.now(), systemClock.now()]).toEqual([1, 1]);
  await Promise.resolve();
  expect(systemClock.now()).toBe(2);
  platform.mockRestore();
});

test("a negative delay runs at once, and an infinite one never", async () => {
  const never = vi.fn();
  systemClock.after(Number.POSITIVE_INFINITY, never);
  await new Promise<void>((resolve) => void systemClock.after(-5, resolve));
  expect(never).not.toHaveBeenCalled();
});

test("an undone task does not run", async () => {
  const task = vi.fn();
  systemClock.after(0, task)();
  await new Promise<void>((resolve) => void systemClock.after(1, resolve));
  expect(task).not.toHaveBeenCalled();
});
