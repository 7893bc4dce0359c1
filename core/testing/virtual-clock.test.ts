import { expect, test } from "vitest";
import { createVirtualClock } from "./virtual-clock.ts";

test("tasks run in order of their time, and then in the order of scheduling", async () => {
  const clock = createVirtualClock();
  const ran: string[] = [];
  clock.after(20, () => ran.push("late"));
  clock.after(10, () => ran.push("first of two"));
  clock.after(10, () => ran.push("second of two"));
  await clock.advance(15);
  expect(ran).toEqual(["first of two", "second of two"]);
  await clock.advance(5);
  expect(ran).toEqual(["first of two", "second of two", "late"]);
  expect(clock.now()).toBe(20);
});

test("tasks and promises that a task starts run within the same advance", async () => {
  const clock = createVirtualClock();
  const ran: number[] = [];
  clock.after(10, async () => {
    await Promise.resolve();
    clock.after(10, () => ran.push(clock.now()));
  });
  await clock.advance(30);
  expect(ran).toEqual([20]);
  expect(clock.now()).toBe(30);
});

test("an undone task, or one with an infinite delay, does not run", async () => {
  const clock = createVirtualClock();
  const ran: string[] = [];
  clock.after(10, () => ran.push("undone"))();
  clock.after(Number.POSITIVE_INFINITY, () => ran.push("never"));
  expect(clock.waiting).toBe(0);
  await clock.advance(1e9);
  expect(ran).toEqual([]);
});
