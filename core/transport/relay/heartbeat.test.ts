import { expect, test } from "vitest";
import { createVirtualClock } from "../../testing/virtual-clock.ts";
import { createHeartbeat, type Heartbeat } from "./heartbeat.ts";

function createRecorded() {
  const clock = createVirtualClock();
  const log: string[] = [];
  const record = (event: string) => () => void log.push(`${event} at ${clock.now()}`);
  const heartbeat: Heartbeat = createHeartbeat(clock, {
    ping: record("ping"),
    interrupted: record("interrupted"),
    restored: record("restored"),
    lost() {
      record("lost")();
      heartbeat.stop();
    },
  });
  return { clock, log, heartbeat };
}

test("silence is answered by pings, is an interruption after 7.5 s, and ends the link after 15 s", async () => {
  const { clock, log } = createRecorded();
  await clock.advance(60_000);
  expect(log.filter((line) => !line.startsWith("ping"))).toEqual(["interrupted at 7500", "lost at 15000"]);
  expect(log.filter((line) => line.startsWith("ping")).map((line) => Number(line.split(" at ")[1]))).toEqual([
    5_000, 7_500, 10_000, 12_500, 15_000,
  ]);
  expect(clock.waiting).toBe(0);
});

test("a record restores an interrupted link, and the silence is counted anew", async () => {
  const { clock, log, heartbeat } = createRecorded();
  await clock.advance(8_000);
  heartbeat.onRecord();
  expect(log).toEqual(["ping at 5000", "ping at 7500", "interrupted at 7500", "restored at 8000"]);
  await clock.advance(6_000);
  expect(log.slice(4)).toEqual(["ping at 12500"]);
  heartbeat.stop();
  expect(clock.waiting).toBe(0);
});

test("while records arrive, nothing is sent and nothing is reported", async () => {
  const { clock, log, heartbeat } = createRecorded();
  for (let second = 0; second < 60; second++) {
    heartbeat.onRecord();
    await clock.advance(1_000);
  }
  expect(log).toEqual([]);
  heartbeat.stop();
});
