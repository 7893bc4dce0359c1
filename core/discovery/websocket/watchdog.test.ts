import { expect, test } from "vitest";
import { createWatchdog } from "./watchdog.ts";

function watchdogWith(lateBy: number) {
  const calls: string[] = [];
  let now = 0;
  let fire = () => {};
  const clock = {
    now: () => now,
    after(delay: number, task: () => void) {
      fire = () => {
        now += delay + lateBy;
        task();
      };
      return () => {
        fire = () => {};
      };
    },
  };
  const watchdog = createWatchdog(
    clock,
    () => calls.push("timeout"),
    () => calls.push("overslept"),
  );
  return { watchdog, calls, fire: () => fire() };
}

test("a limit that passes on time is a timeout", () => {
  const { watchdog, calls, fire } = watchdogWith(100);
  watchdog.restart(35_000);
  fire();
  expect(calls).toEqual(["timeout"]);
});

test("a limit that is noticed late means that this machine slept", () => {
  const { watchdog, calls, fire } = watchdogWith(25_000);
  watchdog.restart(35_000);
  fire();
  expect(calls).toEqual(["overslept"]);
});

test("nothing is called after stop", () => {
  const { watchdog, calls, fire } = watchdogWith(0);
  watchdog.restart(35_000);
  watchdog.stop();
  fire();
  expect(calls).toEqual([]);
});
