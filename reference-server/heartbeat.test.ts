import { expect, test } from "vitest";
import { startHeartbeat } from "./heartbeat.ts";
import { virtualClock } from "./testing/virtual-clock.ts";

const limits = { pingEvery: 25_000, idleTimeout: 35_000 };

/** A heartbeat on a virtual clock, and the number of its pings. */
function heart() {
  const clock = virtualClock();
  const seen = { beats: 0, silent: false, setBack: 0, lastHeard: clock.now() };
  const now = () => clock.now() - seen.setBack;
  startHeartbeat({
    clock: { ...clock, now },
    limits,
    lastHeard: () => seen.lastHeard,
    beat: () => void seen.beats++,
    silent: () => {
      seen.silent = true;
    },
  });
  const receive = () => {
    seen.lastHeard = now();
  };
  return { clock, seen, receive };
}

test("it pings every 25 seconds and ends 35 seconds after the last frame", () => {
  const { clock, seen, receive } = heart();
  clock.advance(25_000);
  receive();
  clock.advance(34_999);
  expect(seen).toMatchObject({ beats: 2, silent: false });
  clock.advance(1);
  expect(seen.silent).toBe(true);
  clock.advance(100_000);
  expect(seen.beats).toBe(2);
});

test("after a sleep of this machine, the idle timeout starts again", () => {
  const { clock, seen } = heart();
  seen.setBack = -3_600_000;
  clock.advance(25_000);
  expect(seen).toMatchObject({ beats: 1, silent: false });
  clock.advance(34_999);
  expect(seen).toMatchObject({ beats: 2, silent: false });
  clock.advance(1);
  expect(seen.silent).toBe(true);
});

test("a clock that is set back by an hour does not stop the heartbeat", () => {
  const { clock, seen, receive } = heart();
  seen.setBack = 3_600_000;
  for (let beats = 1; beats <= 3; beats++) {
    clock.advance(25_000);
    expect(seen.beats).toBe(beats);
    receive();
  }
});
