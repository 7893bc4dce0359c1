import { expect, test, vi } from "vitest";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { createDeadlines } from "./deadlines.ts";

test.each([0, 1, 999, 1_000, 1_001, 30_000, 31_234])(
  "a task runs after %i ms: never early, and at most 100 ms late",
  async (delay) => {
    const clock = createVirtualClock();
    await clock.advance(37);
    const task = vi.fn();
    createDeadlines(clock).after(delay, task);
    await clock.advance(delay - 1);
    expect(task).not.toHaveBeenCalled();
    await clock.advance(101);
    expect(task).toHaveBeenCalledTimes(1);
  },
);

test("a stopped task does not run, nor does one with an infinite delay", async () => {
  const clock = createVirtualClock();
  const deadlines = createDeadlines(clock);
  const task = vi.fn();
  deadlines.stop(deadlines.after(5_000, task));
  deadlines.stop(deadlines.after(10, task));
  deadlines.stop(undefined);
  deadlines.after(Number.POSITIVE_INFINITY, task);
  await clock.advance(100_000);
  expect(task).not.toHaveBeenCalled();
});

test("calls that follow each other share a timer, and clearing the spare one leaves none", async () => {
  const clock = createVirtualClock();
  const set = vi.spyOn(clock, "after");
  const deadlines = createDeadlines(clock);
  for (let call = 0; call < 100; call++) {
    deadlines.stop(deadlines.after(5_000, () => {}));
    await clock.advance(10);
  }
  expect(set.mock.calls.length).toBeLessThan(15);
  expect(clock.waiting).toBe(1);
  deadlines.clearSpareTimer();
  expect(clock.waiting).toBe(0);
});

test("a timer that a task waits for is not cleared, nor when another task was stopped twice", async () => {
  const clock = createVirtualClock();
  const deadlines = createDeadlines(clock);
  const task = vi.fn();
  const stopped = deadlines.after(5_000, task);
  deadlines.stop(stopped);
  deadlines.after(5_000, task);
  deadlines.stop(stopped);
  deadlines.clearSpareTimer();
  await clock.advance(5_101);
  expect(task).toHaveBeenCalledTimes(1);
  expect(clock.waiting).toBe(0);
});

test("fifty thousand calls within a second share a few timers, and leave none behind", async () => {
  const clock = createVirtualClock();
  const deadlines = createDeadlines(clock);
  let ran = 0;
  for (let call = 0; call < 50_000; call++) {
    deadlines.after(30_000, () => ran++);
    if (call % 500 === 0) await clock.advance(10);
  }
  expect(clock.waiting).toBeLessThan(12);
  await clock.advance(31_200);
  expect(ran).toBe(50_000);
  expect(clock.waiting).toBe(0);
});

test.each([100, 2_000])("a task that is renewed runs %i ms after the last renewal, once", async (delay) => {
  const clock = createVirtualClock();
  const deadlines = createDeadlines(clock);
  const task = vi.fn();
  const deadline = deadlines.after(delay, task);
  for (let renewal = 0; renewal < 5; renewal++) {
    await clock.advance(delay - 1);
    deadlines.renew(deadline);
  }
  await clock.advance(delay - 1);
  expect(task).not.toHaveBeenCalled();
  await clock.advance(102);
  expect(task).toHaveBeenCalledTimes(1);
  await clock.advance(10 * delay);
  expect([task.mock.calls.length, clock.waiting]).toEqual([1, 0]);
});

test("a renewed task can be stopped before and after its timer has fired once", async () => {
  const clock = createVirtualClock();
  const deadlines = createDeadlines(clock);
  const task = vi.fn();
  const deadline = deadlines.after(2_000, task);
  await clock.advance(1_500);
  deadlines.renew(deadline);
  await clock.advance(1_000);
  deadlines.stop(deadline);
  await clock.advance(10_000);
  expect([task.mock.calls.length, clock.waiting]).toEqual([0, 0]);
});

test("a deadline of less than a second has a timer of its own, and is on time", async () => {
  const clock = createVirtualClock();
  const ran: number[] = [];
  const start = clock.now();
  createDeadlines(clock).after(950, () => ran.push(clock.now() - start));
  await clock.advance(949);
  expect(ran).toEqual([]);
  await clock.advance(1);
  expect(ran).toEqual([950]);
});

test("a task that stops another one on the same timer prevents it", async () => {
  const clock = createVirtualClock();
  const deadlines = createDeadlines(clock);
  const ran: string[] = [];
  deadlines.after(2_000, () => {
    ran.push("first");
    deadlines.stop(second);
  });
  const second = deadlines.after(2_000, () => ran.push("second"));
  deadlines.after(2_000, () => ran.push("third"));
  await clock.advance(3_000);
  expect(ran).toEqual(["first", "third"]);
});

test("a deadline due at the same time as a cleared spare timer gets another timer", async () => {
  const clock = createVirtualClock();
  const deadlines = createDeadlines(clock);
  const ran: string[] = [];
  deadlines.stop(deadlines.after(2_000, () => ran.push("stopped")));
  deadlines.clearSpareTimer();
  expect(clock.waiting).toBe(0);
  deadlines.after(2_000, () => ran.push("later"));
  await clock.advance(3_000);
  expect(ran).toEqual(["later"]);
});
