import { expect, test } from "vitest";
import { type Limits, limitsOf } from "../limits.ts";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { encode } from "./codec.ts";
import { createFragmenter } from "./fragments.ts";
import { createFrameReader } from "./frame-reader.ts";
import { type Frame, Kind, maxMessageSize } from "./frames.ts";
import { type Packed, pack } from "./pack.ts";

function readerOf(limits: Partial<Limits> = {}) {
  const clock = createVirtualClock();
  return { clock, read: createFrameReader(clock, limitsOf(limits)) };
}

function notifyFrame(size: number): Frame<Packed> {
  const value = pack(new Uint8Array(size), { name: "request", code: "invalid-request", depth: 1, size: 100_000 });
  return [Kind.notify, 0, "cursor", value];
}

const cancel: Frame<Packed> = [Kind.cancel, 1, "cancelled"];
const joined = (...frames: readonly Frame<Packed>[]) => Uint8Array.from(frames.flatMap((frame) => [...encode(frame)]));
const refusal = (what: string) => expect.objectContaining({ code: "protocol", message: expect.stringContaining(what) });

test("the frames of one message are read in order, on every channel", () => {
  const { read } = readerOf();
  expect(read("control", joined(cancel, notifyFrame(1))).map(([kind]) => kind)).toEqual([Kind.cancel, Kind.notify]);
  expect(read("bulk", joined(notifyFrame(1), cancel)).map(([kind]) => kind)).toEqual([Kind.notify, Kind.cancel]);
  expect(read("lossy", joined(notifyFrame(1), notifyFrame(2))).map(([kind]) => kind)).toEqual([
    Kind.notify,
    Kind.notify,
  ]);
});

test("a frame in parts is read with its last part", () => {
  const { read } = readerOf();
  const parts = createFragmenter(encode(notifyFrame(3_000)), 1);
  const counts = Array.from({ length: 4 }, () =>
    read("bulk", Uint8Array.from(parts.next(1_000).flatMap((bytes) => [...bytes]))),
  );
  expect(counts.map((frames) => frames.length)).toEqual([0, 0, 0, 1]);
});

test("a message on lossy is rejected as a whole if it holds anything but notify frames", () => {
  const { read } = readerOf();
  expect(() => read("lossy", joined(notifyFrame(1), cancel))).toThrow(refusal("unexpected frame"));
});

test("a message larger than the hello's limit is rejected", () => {
  const { read } = readerOf();
  const full = joined(notifyFrame(maxMessageSize - 100), ...new Array(100).fill(notifyFrame(1)));
  const cancels = (size: number) => Uint8Array.from({ length: size }, (_, at) => [0x93, Kind.cancel, 1, 0xa0][at % 4]!);
  expect(full.length).toBeGreaterThan(maxMessageSize);
  expect(() => read("bulk", full)).toThrow(refusal("more than"));
  expect(read("bulk", cancels(maxMessageSize))).toHaveLength(maxMessageSize / 4);
});

test("the limit of depth applies on every channel", () => {
  const { read } = readerOf({ depth: 2 });
  const value = pack([[[1]]], { name: "request", code: "invalid-request", depth: 5, size: 100 });
  for (const channel of ["control", "lossy"] as const) {
    expect(() => read(channel, joined([Kind.notify, 0, "cursor", value]))).toThrow(refusal("The peer sent"));
  }
});

test("the channels share one limit of frames per second, and an empty message counts as a frame", async () => {
  const { clock, read } = readerOf({ framesPerSecond: 4 });
  const spend = () => {
    read("control", joined(cancel, cancel));
    read("lossy", joined(notifyFrame(1)));
    read("bulk", new Uint8Array());
  };
  spend();
  expect(() => read("bulk", new Uint8Array())).toThrow(refusal("more than 4 frames in a second"));
  await clock.advance(1_000);
  expect(spend).not.toThrow();
});
