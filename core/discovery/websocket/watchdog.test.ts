import { expect, test } from "vitest";
import { createWatchdog } from "./watchdog.ts";

function silenceOn(lateBy: number) {
  const told: string[] = [];
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
  const silence = createWatchdog(
    clock,
    () => told.push("too long"),
    () => told.push("overslept"),
  );
  return { silence, told, fire: () => fire() };
}

test("a limit that passes on time is a timeout", () => {
  const { silence, told, fire } = silenceOn(100);
  silence.restart(35_000);
  fire();
  expect(told).toEqual(["too long"]);
});

test("a limit that is noticed late means that this machine slept", () => {
  const { silence, told, fire } = silenceOn(25_000);
  silence.restart(35_000);
  fire();
  expect(told).toEqual(["overslept"]);
});

test("nothing is called after stop", () => {
  const { silence, told, fire } = silenceOn(0);
  silence.restart(35_000);
  silence.stop();
  fire();
  expect(told).toEqual([]);
});
