import { expect, test } from "vitest";
import { BonevalueError } from "../errors.ts";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { type Frame, Kind } from "../wire/frames.ts";
import type { Packed } from "../wire/pack.ts";
import type { Writable } from "../wire/send-scheduler.ts";
import { createDeadlines } from "./deadlines.ts";
import { createReceipts } from "./receipts.ts";

const refusal = new BonevalueError("unknown-module", "No such module.");

/** Receipts of a window of 100 messages. `flush` lets the channel take what waits. */
function createSide(isUnderstood = true) {
  const clock = createVirtualClock();
  const deadlines = createDeadlines(clock);
  const waiting: Writable[] = [];
  const sent: Frame<Packed>[] = [];
  const flush = () => {
    for (const frame of waiting.splice(0)) {
      const written = typeof frame === "function" ? frame() : frame;
      if (written) sent.push(written);
    }
  };
  const receipts = createReceipts({
    scheduler: { send: (_channel, frame) => waiting.push(frame) },
    deadlines,
    window: 100,
    isUnderstood: () => isUnderstood,
  });
  const handle = (count: number) => {
    for (let index = 0; index < count; index++) receipts.onReceived();
    for (let index = 0; index < count; index++) receipts.onHandled();
  };
  return { ...receipts, clock, deadlines, waiting, sent, flush, handle };
}

test("each message is acknowledged within 250 ms after it was handled", async () => {
  const { clock, sent, flush, handle } = createSide();
  for (const handled of [1, 2]) {
    handle(1);
    await clock.advance(249);
    flush();
    expect(sent).toHaveLength(handled - 1);
    await clock.advance(1);
    flush();
    expect(sent.at(-1)).toEqual([Kind.ack, handled]);
  }
  expect(clock.waiting).toBe(0);
});

test("a quarter of the window is acknowledged at once", () => {
  const { sent, flush, handle } = createSide();
  handle(24);
  flush();
  expect(sent).toEqual([]);
  handle(1);
  flush();
  expect(sent).toEqual([[Kind.ack, 25]]);
});

test("an acknowledgement joins other frames, counts everything that is handled when they leave, and is not sent again", async () => {
  const { clock, waiting, sent, flush, handle, join } = createSide();
  join();
  expect(waiting).toEqual([]);
  for (const handled of [2, 4]) {
    handle(1);
    join();
    join();
    expect(waiting).toHaveLength(1);
    handle(1);
    flush();
    expect(sent.at(-1)).toEqual([Kind.ack, handled]);
  }
  await clock.advance(1_000);
  flush();
  expect(sent).toHaveLength(2);
});

test("an acknowledgement that was to join is left out if another one went first", () => {
  const { sent, flush, handle, join } = createSide();
  handle(1);
  join();
  handle(24);
  flush();
  expect(sent).toEqual([[Kind.ack, 25]]);
});

test("an older version gets neither acknowledgements nor refusals", async () => {
  const { clock, waiting, handle, join, refuse } = createSide(false);
  handle(200);
  join();
  refuse("Gone", refusal);
  await clock.advance(10_000);
  expect(waiting).toEqual([]);
});

test("after stop no timer is left", () => {
  const { clock, deadlines, handle, refuse, stop } = createSide();
  handle(2);
  refuse("Gone", refusal);
  refuse("Gone", refusal);
  expect(clock.waiting).toBeGreaterThan(0);
  stop();
  deadlines.clearSpareTimer();
  expect(clock.waiting).toBe(0);
});
