import { expect, test } from "vitest";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { createDeadlines } from "./deadlines.ts";
import { createThrottle } from "./throttle.ts";

function createSide() {
  const clock = createVirtualClock();
  const passed: string[] = [];
  const throttle = createThrottle<string>(createDeadlines(clock), (key, value, count) => {
    passed.push(`${clock.now()} ${key}: ${count} ${value}`);
  });
  return { ...throttle, clock, passed };
}

test("the first value of a key is passed at once, and the latest of each second after it at its end, with their number", async () => {
  const { add, clock, passed } = createSide();
  const start = clock.now();
  for (const value of ["a", "b", "c", "d"]) {
    add("key", value);
    await clock.advance(400);
  }
  await clock.advance(10_000);
  add("key", "e");
  const at = (ms: number) => start + ms;
  expect(passed).toEqual([
    `${at(0)} key: 1 a`,
    `${at(1_000)} key: 2 c`,
    `${at(2_000)} key: 1 d`,
    `${at(11_600)} key: 1 e`,
  ]);
});

test("what is held is passed at the stop, and no timer is left", async () => {
  const { add, stop, clock, passed } = createSide();
  for (const [key, value] of ["aa", "ab", "bc"]) add(key!, value!);
  stop();
  expect(passed.map((text) => text.replace(/^\d+ /, ""))).toEqual(["a: 1 a", "b: 1 c", "a: 1 b"]);
  await clock.advance(5_000);
  expect([passed.length, clock.waiting]).toEqual([3, 0]);
});
