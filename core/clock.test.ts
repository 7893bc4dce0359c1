import { expect, test, vi } from "vitest";
import { systemClock } from "./clock.ts";

test("time stands still within a turn of the event loop, and goes on after it", async () => {
  const platform = vi.spyOn(performance, "now").mockReturnValueOnce(1).mockReturnValueOnce(2);
  await Promise.resolve();
  expect([systemClock.now(), systemClock.now()]).toEqual([1, 1]);
  await Promise.resolve();
  expect(systemClock.now()).toBe(2);
  platform.mockRestore();
});

test("a delay that has passed is now, and one without end never comes", async () => {
  const never = vi.fn();
  systemClock.after(Number.POSITIVE_INFINITY, never);
  await new Promise<void>((resolve) => void systemClock.after(-5, resolve));
  expect(never).not.toHaveBeenCalled();
});

test("a task that was undone does not run", async () => {
  const task = vi.fn();
  systemClock.after(0, task)();
  await new Promise<void>((resolve) => void systemClock.after(1, resolve));
  expect(task).not.toHaveBeenCalled();
});
