import { expect, test } from "vitest";
import { fc, runs } from "../../tools/property.ts";
import { decode, encode, packItem, type Received } from "./codec.ts";
import { type Frame, type Hello, Kind } from "./frames.ts";
import { type Packed, pack } from "./pack.ts";
import { createSendScheduler, type Port, type SendScheduler } from "./send-scheduler.ts";
import { createTestReader } from "./testing/frame-reader.ts";

const KiB = 1_024;
const everything = { value: 1_000 * KiB, depth: 8 };
const hello: Hello = { peer: "p", message: 65_536, value: 1, calls: 1, streams: 1, window: 1, assembly: 1 };

interface Sent {
  readonly channel: "control" | "bulk" | "lossy";
  readonly bytes: Uint8Array;
}

/** A scheduler on a link that moves bytes, and time, only when the test says so. */
function onLink({ message = 64 * KiB, assembly = 1_000 * KiB, opened = true, countsLossy = false } = {}) {
  const sent: Sent[] = [];
  const tasks: (() => void)[] = [];
  let [buffered, time] = [0, 0];
  const port: Port = {
    maxMessage: 256 * KiB,
    lowMark: 0,
    get buffered() {
      return buffered;
    },
    send(channel, bytes) {
      sent.push({ channel, bytes: bytes.slice() });
      if (channel !== "lossy" || countsLossy) buffered += bytes.length;
    },
  };
  const scheduler = createSendScheduler(port, { clock: { now: () => time }, defer: (task) => tasks.push(task) });
  /** Ends the turn of the event loop. */
  const turn = () => {
    while (tasks.length > 0) tasks.shift()?.();
  };
  /** The link moves `bytes` in `elapsed` ms. */
  const move = (bytes: number, elapsed = 0) => {
    const above = buffered > port.lowMark;
    time += elapsed;
    buffered = Math.max(0, buffered - bytes);
    if (above && buffered <= port.lowMark) scheduler.drained();
    turn();
  };
  if (opened) scheduler.open({ message, assembly });
  turn();
  return { scheduler, port, sent, turn, move, on: (channel: string) => sent.filter((one) => one.channel === channel) };
}

function bytesOf(size: number): Packed {
  return pack(new Uint8Array(size), { name: "item", code: "invalid-response", depth: 1, size: size + 100 });
}

function item(stream: number, size: number): Frame<Packed> {
  return [Kind.item, stream, bytesOf(size)];
}

function framesOf(...messages: readonly Sent[]): Frame<unknown>[] {
  return messages.flatMap(({ bytes }) => decode(bytes, everything));
}

/** Returns the stream or slot of each frame. */
function turnsOf(...messages: readonly Sent[]): number[] {
  return framesOf(...messages).map(([, id]) => id as number);
}

test("frames of one turn of the event loop share a message", () => {
  const { scheduler, sent, turn } = onLink();
  scheduler.send("control", [Kind.cancel, 1, "cancelled"]);
  scheduler.send("control", [Kind.cancel, 2, "cancelled"]);
  expect(sent).toEqual([]);
  turn();
  expect(sent).toHaveLength(1);
  expect(turnsOf(...sent)).toEqual([1, 2]);
});

test("a frame that turns out to be empty sends nothing, and the next takes its turn", () => {
  const { scheduler, sent, turn } = onLink();
  scheduler.send("control", () => undefined);
  scheduler.bulk("flow", () => undefined);
  turn();
  expect(sent).toEqual([]);
  expect(scheduler.isEmpty).toBe(true);
  scheduler.send("control", [Kind.cancel, 1, "cancelled"]);
  scheduler.bulk("flow", item(2, 10));
  turn();
  expect(turnsOf(...sent)).toEqual([1, 2]);
});

test("control batches frames up to eleven packets, and sends a larger frame alone", () => {
  const { scheduler, on, turn } = onLink();
  for (let id = 1; id <= 5; id++) scheduler.send("control", [Kind.answer, id, bytesOf(4 * KiB)]);
  scheduler.send("control", [Kind.answer, 6, bytesOf(20 * KiB)]);
  scheduler.send("control", [Kind.answer, 7, bytesOf(1)]);
  turn();
  expect(on("control").map((message) => turnsOf(message))).toEqual([[1, 2, 3], [4, 5], [6], [7]]);
});

test("a frame is written only when its channel has space", () => {
  const { scheduler, on, turn, move } = onLink();
  let remaining = 900;
  scheduler.bulk("call", () => [Kind.call, 1, "m", bytesOf(200 * KiB), null]);
  turn();
  for (let id = 2; id <= 9; id++) scheduler.send("control", () => [Kind.call, id, "m", bytesOf(12 * KiB), remaining]);
  turn();
  const early = on("control").length;
  remaining = 500;
  move(10_000 * KiB);
  const [first, last] = [framesOf(...on("control").slice(0, early)), framesOf(...on("control").slice(early))];
  expect(first.map((frame) => frame[4])).toEqual(first.map(() => 900));
  expect(last.length).toBeGreaterThan(0);
  expect(last.map((frame) => frame[4])).toEqual(last.map(() => 500));
});

test("before the other side's hello is read, control carries 16 KiB in all, and bulk only our hello", () => {
  const { scheduler, turn, on } = onLink({ opened: false });
  scheduler.send("control", [Kind.hello, 1, hello]);
  scheduler.send("bulk", [Kind.hello, 1, hello]);
  for (let id = 1; id <= 4; id++) scheduler.send("control", [Kind.call, id, "m", bytesOf(6 * KiB), null]);
  scheduler.bulk("stream", item(5, 10));
  scheduler.send("lossy", [Kind.notify, 0, "cursor", bytesOf(1)]);
  turn();
  const bytes = on("control").reduce((sum, message) => sum + message.bytes.length, 0);
  expect(bytes).toBeLessThanOrEqual(16 * KiB);
  expect(framesOf(...on("control")).map(([kind, ...fields]) => [kind, fields[0]])).toEqual([
    [Kind.hello, 1],
    [Kind.call, 1],
    [Kind.call, 2],
  ]);
  expect(framesOf(...on("bulk"))).toEqual([[Kind.hello, 1, hello]]);
  scheduler.open({ message: 64 * KiB, assembly: 100 * KiB });
  turn();
  const calls = framesOf(...on("control")).filter(([kind]) => kind === Kind.call);
  expect(calls.map(([, id]) => id)).toEqual([1, 2, 3, 4]);
  expect(turnsOf(...on("bulk").slice(1))).toEqual([5]);
  expect(on("lossy")).toEqual([]);
});

test("the first call on a new link shares the message of the hello, before the hello on bulk", () => {
  const { scheduler, sent, turn } = onLink({ opened: false });
  scheduler.send("control", [Kind.hello, 1, hello]);
  scheduler.send("bulk", [Kind.hello, 1, hello]);
  scheduler.send("control", [Kind.call, 1, "m", bytesOf(10), null]);
  turn();
  expect(sent.map(({ channel }) => channel)).toEqual(["control", "bulk"]);
  expect(framesOf(sent[0]!).map(([kind]) => kind)).toEqual([Kind.hello, Kind.call]);
});

test("bulk stays below the high-water mark, and continues when the link has drained", () => {
  const { scheduler, port, on, turn, move } = onLink();
  for (let index = 0; index < 40; index++) scheduler.bulk("stream", item(1, 10 * KiB));
  turn();
  expect(port.buffered).toBeLessThanOrEqual(104 * KiB);
  const before = on("bulk").length;
  move(10 * KiB);
  expect(on("bulk")).toHaveLength(before);
  move(40 * KiB);
  expect(on("bulk").length).toBeGreaterThan(before);
  for (let index = 0; index < 40; index++) move(40 * KiB);
  expect(turnsOf(...on("bulk"))).toHaveLength(40);
  expect(scheduler.isEmpty).toBe(true);
});

test("a call is sent at once while bulk is full, and control has its own limit", () => {
  const { scheduler, port, on, turn } = onLink();
  scheduler.bulk("file", item(1, 500 * KiB));
  turn();
  scheduler.send("control", [Kind.cancel, 7, "cancelled"]);
  turn();
  expect(turnsOf(...on("control"))).toEqual([7]);
  for (let id = 8; id < 100; id++) scheduler.send("control", [Kind.answer, id, bytesOf(10 * KiB)]);
  turn();
  expect(port.buffered).toBeLessThan(256 * KiB);
  expect(scheduler.isEmpty).toBe(false);
});

test("flows take turns, fill messages, and keep their frames in order", () => {
  const { scheduler, on, turn, move } = onLink();
  const frame = (stream: number, index: number): Frame<Packed> => [Kind.credit, stream, index, 0];
  for (let index = 0; index < 4; index++) scheduler.bulk("a", item(1, 15 * KiB));
  for (let index = 0; index < 4; index++) scheduler.bulk("b", item(2, 15 * KiB));
  for (let index = 0; index < 3; index++) scheduler.bulk("c", frame(3, index));
  turn();
  for (let index = 0; index < 9; index++) move(64 * KiB);
  expect(turnsOf(...on("bulk"))).toEqual([1, 3, 3, 3, 2, 1, 2, 1, 2, 1, 2]);
  expect(framesOf(...on("bulk")).flatMap(([kind, , index]) => (kind === Kind.credit ? [index] : []))).toEqual([
    0, 1, 2,
  ]);
});

test("parts of different flows alternate, and those of one flow stay in order", () => {
  const { scheduler, on, turn, move } = onLink();
  scheduler.bulk("a", item(1, 40 * KiB));
  scheduler.bulk("a", item(1, 40 * KiB));
  scheduler.bulk("b", item(2, 40 * KiB));
  turn();
  for (let index = 0; index < 20; index++) move(64 * KiB);
  const slots = turnsOf(...on("bulk"));
  expect(slots.slice(0, 4)).toEqual([1, 2, 1, 2]);
  expect(slots.lastIndexOf(1)).toBeLessThan(slots.indexOf(3));
});

test("a producer of one item at a time fills messages, also with fragmented items", async () => {
  const { scheduler, on, turn, move } = onLink();
  const more = () => Promise.resolve().then(() => scheduler.bulk("file", item(1, 64 * KiB), more));
  await more();
  turn();
  for (let index = 0; index < 200; index++) {
    await Promise.resolve();
    move(64 * KiB, 5);
  }
  const late = on("bulk").slice(-50);
  expect(late.filter(({ bytes }) => bytes.length > 63 * KiB).length).toBeGreaterThan(48);
});

test("a small message on bulk waits for more frames while the link is busy, and is sent before the link is idle", () => {
  const { scheduler, on, turn, move } = onLink();
  for (let index = 0; index < 3; index++) scheduler.bulk("a", item(1, 15 * KiB));
  turn();
  scheduler.bulk("b", item(2, 10));
  turn();
  scheduler.bulk("c", item(3, 10));
  turn();
  expect(turnsOf(...on("bulk"))).toEqual([1, 1, 1]);
  expect(scheduler.isEmpty).toBe(false);
  move(20 * KiB);
  expect(turnsOf(...on("bulk").slice(3))).toEqual([2, 3]);
  expect(on("bulk")).toHaveLength(4);
  expect(scheduler.isEmpty).toBe(true);
});

test("`onSent` is called once, when the message with the frame's end has space for another", () => {
  const { scheduler, on, turn, move } = onLink();
  const taken: string[] = [];
  scheduler.bulk("large", item(1, 200 * KiB), () => taken.push("large"));
  scheduler.bulk("small", item(2, 10), () => taken.push("small"));
  turn();
  expect(taken).toEqual(["small"]);
  while (taken.length === 1) move(16 * KiB);
  const [last] = framesOf(...on("bulk").slice(-1));
  expect(last?.[2]).toBeLessThan(16 * KiB);
  for (let index = 0; index < 10; index++) move(64 * KiB);
  expect(taken).toEqual(["small", "large"]);
});

test("dropped frames are never written, and a frame that was sent in part is discarded", () => {
  const { scheduler, on, turn, move } = onLink();
  const reader = createTestReader({ ...everything, assembly: 1_000 * KiB });
  scheduler.bulk("file", item(1, 200 * KiB));
  scheduler.bulk("file", () => {
    throw new Error("asked for a frame that was dropped");
  });
  scheduler.bulk("other", () => item(2, 10));
  turn();
  scheduler.drop("file");
  scheduler.drop("file");
  scheduler.bulk("file", [Kind.end, 1, "cancelled", ""]);
  for (let index = 0; index < 10; index++) move(64 * KiB);
  const frames = on("bulk").flatMap(({ bytes }) => reader.read(bytes));
  expect(frames.map(([kind, id]) => [kind, id])).toEqual([
    [Kind.item, 2],
    [Kind.end, 1],
  ]);
  expect(reader.requireNothingUnfinished).not.toThrow();
  expect(scheduler.isEmpty).toBe(true);
});

test("a frame that is too large for control is sent in parts on bulk", () => {
  const { scheduler, on, turn, move } = onLink();
  const reader = createTestReader({ ...everything, assembly: 0 });
  scheduler.send("control", [Kind.answer, 1, bytesOf(300 * KiB)]);
  turn();
  for (let index = 0; index < 20; index++) move(64 * KiB);
  expect(on("control")).toEqual([]);
  expect(on("bulk").flatMap(({ bytes }) => reader.read(bytes))).toMatchObject([[Kind.answer, 1, {}]]);
});

test("a frame that is too large to begin now is not overtaken forever", () => {
  const { scheduler, on, turn, move } = onLink({ assembly: 100 * KiB });
  const more = () => scheduler.bulk("steady", item(1, 30 * KiB), more);
  const another = () => scheduler.bulk("steady too", item(2, 30 * KiB), another);
  more();
  another();
  turn();
  scheduler.bulk("large", item(3, 90 * KiB));
  const reader = createTestReader({ ...everything, assembly: 100 * KiB });
  const ids: unknown[] = [];
  for (let index = 0; index < 40; index++) {
    move(64 * KiB);
    ids.push(
      ...on("bulk")
        .splice(0)
        .flatMap(() => []),
    );
  }
  const frames = on("bulk").flatMap(({ bytes }) => reader.read(bytes));
  expect(frames.map(([, id]) => id)).toContain(3);
});

test("messages on bulk grow only on a fast link", () => {
  const largestOf = (perTurn: number) => {
    const { scheduler, on, turn, move } = onLink();
    const more = () => scheduler.bulk("file", item(1, 64 * KiB), more);
    more();
    turn();
    for (let index = 0; index < 200; index++) move(perTurn, 5);
    return Math.max(...on("bulk").map(({ bytes }) => bytes.length));
  };
  expect(largestOf(KiB)).toBeLessThanOrEqual(16 * KiB);
  expect(largestOf(8 * KiB)).toBeLessThanOrEqual(33 * KiB);
  expect(largestOf(100 * KiB)).toBeGreaterThan(63 * KiB);
});

test("a message that is larger than the free space is sent when half of the mark is free", () => {
  const { scheduler, port, on, turn, move } = onLink({ message: 68 * KiB });
  const more = () => scheduler.bulk("file", item(1, 64 * KiB), more);
  more();
  turn();
  for (let index = 0; index < 200; index++) move(100 * KiB, 5);
  scheduler.send("control", [Kind.cancel, 1, "cancelled"]);
  turn();
  const before = on("bulk").length;
  for (let index = 0; index < 10; index++) move(port.buffered - 48 * KiB, 5);
  expect(on("bulk")).toHaveLength(before + 10);
});

test("the bytes of an item may be overwritten once it was sent", () => {
  const { scheduler, on, turn, move } = onLink({ message: 20 * KiB });
  const chunk = new Uint8Array(50 * KiB);
  const packed = () => packItem(chunk, { name: "item", code: "invalid-response", depth: 1, size: 100 * KiB });
  let number = 0;
  const more = () => {
    chunk.fill(++number);
    scheduler.bulk("file", [Kind.item, 1, packed()], number < 5 ? more : () => chunk.fill(0));
  };
  more();
  turn();
  while (!scheduler.isEmpty) move(20 * KiB);
  const reader = createTestReader({ ...everything, assembly: 100 * KiB });
  const chunks = on("bulk").flatMap(({ bytes }) => reader.read(bytes).map((frame) => (frame[2] as Received).plain));
  expect(chunks).toEqual([1, 2, 3, 4, 5].map((each) => new Uint8Array(50 * KiB).fill(each)));
});

test("the high-water mark grows when the link runs empty, and shrinks when there are calls", () => {
  const { scheduler, port, turn, move } = onLink();
  const more = () => scheduler.bulk("file", item(1, 64 * KiB), more);
  more();
  turn();
  for (let index = 0; index < 10; index++) move(1_000 * KiB, 10);
  expect(port.lowMark).toBe(128 * KiB);
  scheduler.send("control", [Kind.credit, 1, 1, 1]);
  turn();
  expect(port.lowMark).toBe(128 * KiB);
  scheduler.send("control", [Kind.cancel, 1, "cancelled"]);
  turn();
  expect(port.lowMark).toBe(48 * KiB);
  for (let index = 0; index < 10; index++) move(1_000 * KiB, 10);
  expect(port.lowMark).toBe(48 * KiB);
});

test.for([
  ["", false],
  [", where it counts them as buffered, as the relay does", true],
] as const)("lossy frames are dropped while the link does not move%s", ([, countsLossy]) => {
  const { scheduler, on, turn, move } = onLink({ countsLossy });
  const cursor = () => scheduler.send("lossy", [Kind.notify, 0, "cursor", bytesOf(100)]);
  scheduler.bulk("file", item(1, 500 * KiB));
  turn();
  for (let index = 0; index < 1_000; index++) cursor();
  const stalled = on("lossy").length;
  expect(stalled).toBeLessThan(50);
  move(countsLossy ? 5 * KiB : 1);
  cursor();
  expect(on("lossy")).toHaveLength(stalled + 1);
  move(10_000 * KiB);
});

test("the last frame is sent after everything on control, beyond the mark, and nothing follows it", () => {
  const { scheduler, on, turn } = onLink();
  for (let id = 1; id <= 30; id++) scheduler.send("control", [Kind.answer, id, bytesOf(10 * KiB)]);
  scheduler.close([Kind.close, 0, "protocol"]);
  expect(framesOf(...on("control")).map(([, id]) => id)).toEqual([...Array.from({ length: 30 }, (_, id) => id + 1), 0]);
  scheduler.send("control", [Kind.cancel, 1, "cancelled"]);
  scheduler.bulk("file", item(1, 10));
  turn();
  expect(framesOf(...on("control")).at(-1)).toEqual([Kind.close, 0, "protocol"]);
  expect(scheduler.isEmpty).toBe(true);
});

test("a link that is closed while it is filled still sends its last frame", () => {
  const { scheduler, on, turn } = onLink();
  scheduler.send("control", () => {
    scheduler.close([Kind.close, 0, "protocol"]);
    return undefined;
  });
  turn();
  expect(framesOf(...on("control"))).toEqual([[Kind.close, 0, "protocol"]]);
});

test("before the other side's hello is read, the last frame overtakes waiting frames, within the 16 KiB", () => {
  const { scheduler, sent, turn, on } = onLink({ opened: false });
  scheduler.send("control", [Kind.hello, 1, hello]);
  for (let id = 1; id <= 300; id++) scheduler.send("control", [Kind.call, id, "m", bytesOf(40 + id), null]);
  turn();
  const before = on("control").length;
  scheduler.close([Kind.close, 0, "identity-mismatch"]);
  expect(framesOf(...on("control").slice(before))).toEqual([[Kind.close, 0, "identity-mismatch"]]);
  expect(sent.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThanOrEqual(16 * KiB);
  expect(scheduler.isEmpty).toBe(true);
});

const sizes = fc.integer({ min: 1, max: 120 * KiB });
const doing = fc.oneof(
  fc.record({ do: fc.constant("bulk" as const), flow: fc.integer({ min: 1, max: 5 }), size: sizes }),
  fc.record({ do: fc.constant("drop" as const), flow: fc.integer({ min: 1, max: 5 }), size: fc.constant(0) }),
  fc.record({ do: fc.constant("move" as const), flow: fc.constant(0), size: sizes }),
);

test("after any sends, drops and moves, the receiver reads each flow in order and within its budget", () => {
  fc.assert(
    fc.property(fc.array(doing, { maxLength: 60 }), fc.integer({ min: 20, max: 64 }), (doings, message) => {
      const { scheduler, on, turn, move } = onLink({ message: message * KiB, assembly: 150 * KiB });
      const sinceDrop = new Map<number, number[]>();
      const flowOf: number[] = [];
      for (const { do: what, flow, size } of doings) {
        if (what === "bulk") {
          const id = flowOf.push(flow);
          sinceDrop.set(flow, [...(sinceDrop.get(flow) ?? []), id]);
          scheduler.bulk(flow, [Kind.answer, id, bytesOf(size)]);
        } else if (what === "drop") {
          sinceDrop.delete(flow);
          scheduler.drop(flow);
        } else move(size, 1);
        turn();
      }
      while (!scheduler.isEmpty) move(64 * KiB, 1);
      const reader = createTestReader({ ...everything, assembly: 150 * KiB });
      const read = on("bulk").flatMap(({ bytes }) => reader.read(bytes).map(([, id]) => id as number));
      expect(reader.requireNothingUnfinished).not.toThrow();
      for (const flow of [1, 2, 3, 4, 5]) {
        const arrived = read.filter((id) => flowOf[id - 1] === flow);
        expect(arrived).toEqual([...new Set(arrived)].sort((a, b) => a - b));
        expect(arrived).toEqual(expect.arrayContaining(sinceDrop.get(flow) ?? []));
      }
    }),
    { numRuns: runs(200) },
  );
});

test("a link may drain while it is being filled", async () => {
  let scheduler: SendScheduler | undefined;
  let given = 0;
  const port: Port = {
    maxMessage: 64 * KiB,
    lowMark: 0,
    buffered: 0,
    send(_, bytes) {
      given += bytes.length;
      scheduler?.drained();
    },
  };
  scheduler = createSendScheduler(port, { clock: { now: () => 0 } });
  scheduler.open({ message: 64 * KiB, assembly: 100 * KiB });
  scheduler.bulk("file", item(1, 100 * KiB));
  await Promise.resolve();
  expect(given).toBeGreaterThan(encode(item(1, 100 * KiB)).length);
});

test("a link that drains while it is filled, and does not report it, is filled again", () => {
  const sent: Uint8Array[] = [];
  const port: Port = {
    maxMessage: 256 * KiB,
    lowMark: 0,
    buffered: 0,
    send: (_, bytes) => void sent.push(bytes.slice()),
  };
  const tasks: (() => void)[] = [];
  const scheduler = createSendScheduler(port, { clock: { now: () => 0 }, defer: (task) => tasks.push(task) });
  scheduler.open({ message: 64 * KiB, assembly: 1_000 * KiB });
  for (let count = 0; count < 40; count++) scheduler.bulk("stream", item(1, 8 * KiB));
  for (const task of tasks) task();
  expect(scheduler.isEmpty).toBe(true);
  expect(sent.flatMap((bytes) => decode(bytes, everything))).toHaveLength(40);
});

test("a link that drains between two reads of its buffer, and does not report it, is filled again", () => {
  const { scheduler, port, sent, turn, move } = onLink();
  scheduler.bulk("stream", item(1, 40 * KiB));
  turn();
  // It has reported that it drained below half of the mark, and does so again before it gets the new mark.
  move(1);
  const { buffered } = port;
  const looks = [buffered, buffered, 0];
  Object.defineProperty(port, "buffered", { get: () => looks.shift() ?? 0 });
  scheduler.bulk("stream", item(2, 1 * KiB));
  turn();
  expect(framesOf(...sent).map(([, id]) => id)).toContain(2);
  expect(scheduler.isEmpty).toBe(true);
});
