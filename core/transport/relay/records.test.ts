import { describe, expect, test } from "vitest";
import { concat } from "../../bytes.ts";
import { Kind as FrameKind } from "../../wire/frames.ts";
import { pack } from "../../wire/pack.ts";
import { createSendScheduler, type SendScheduler } from "../../wire/send-scheduler.ts";
import type { Channel } from "../transport.ts";
import { createRecordReader } from "./record-reader.ts";
import { createRecordWriter } from "./record-writer.ts";
import { ackAfter, Kind, maxMessage, maxRecord, windowSize } from "./segments.ts";

/** A writer whose records a reader reads, when the test says so. */
function createPair(onDrain = () => {}) {
  const records: Uint8Array<ArrayBuffer>[] = [];
  const messages: [Channel, number, number | undefined][] = [];
  const acks: Uint8Array<ArrayBuffer>[] = [];
  let drained = 0;
  const drain = () => {
    drained++;
    onDrain();
  };
  const writer = createRecordWriter({ write: (record) => records.push(record.slice()), drain });
  const read = createRecordReader({
    message: (channel, bytes) => messages.push([channel, bytes.length, bytes[0]]),
    sendAck: (data) => acks.push(data),
    acknowledged: () => true,
    ready() {},
    ping() {},
    pong() {},
  });
  writer.start();
  writer.signal(Kind.ready);
  return {
    writer,
    records,
    messages,
    acks,
    get drained() {
      return drained;
    },
    /** Lets the writer write what it may. */
    settle: () => Promise.resolve(),
    readAll() {
      for (const record of records.splice(0)) read(record);
    },
    readOne() {
      for (const record of records.splice(0, 1)) read(record);
    },
    /** Passes acks back. */
    acknowledge() {
      for (const ack of acks.splice(0)) expect(writer.onAck(new DataView(ack.buffer).getUint32(0))).toBe(true);
    },
  };
}

const filled = (size: number, value = 1) => new Uint8Array(size).fill(value);

describe("the writer of records", () => {
  test("packs what one turn sends together, control first", async () => {
    const pair = createPair();
    pair.writer.send("bulk", filled(10, 1));
    pair.writer.send("lossy", filled(20, 2));
    pair.writer.send("control", filled(30, 3));
    await pair.settle();
    expect(pair.records.length).toBe(1);
    pair.readAll();
    expect(pair.messages).toEqual([
      ["control", 30, 3],
      ["lossy", 20, 2],
      ["bulk", 10, 1],
    ]);
  });

  test("puts a message of the largest size into a record of its own", async () => {
    const pair = createPair();
    for (const size of [1, 69_632, 1]) pair.writer.send("bulk", filled(size));
    await pair.settle();
    expect(pair.records.map(({ length }) => length)).toEqual([4 + 5, maxRecord, 5]);
    pair.readAll();
    expect(pair.messages.map(([, size]) => size)).toEqual([1, 69_632, 1]);
  });

  test("lets no bulk take the room in the window that control waits for", async () => {
    const pair = createPair();
    for (let count = 0; count < 8; count++) pair.writer.send("bulk", filled(60_000));
    await pair.settle();
    pair.writer.send("control", filled(60_000));
    pair.writer.send("bulk", filled(1));
    await pair.settle();
    pair.readAll();
    expect(pair.messages.length).toBe(8);
    pair.acknowledge();
    await pair.settle();
    pair.readAll();
    expect(pair.messages.slice(8).map(([channel]) => channel)).toEqual(["control", "bulk"]);
  });

  test("lets control overtake the bulk that waits", async () => {
    const pair = createPair();
    for (let count = 0; count < 16; count++) pair.writer.send("bulk", filled(60_000));
    await pair.settle();
    pair.writer.send("control", filled(1, 9));
    for (let round = 0; round < 4; round++) {
      pair.readAll();
      pair.acknowledge();
      await pair.settle();
    }
    expect(pair.messages.findIndex(([channel]) => channel === "control")).toBeLessThan(10);
    expect(pair.messages.length).toBe(17);
  });

  test("has at most the window on its way, and goes on with each ack", async () => {
    const pair = createPair();
    for (let count = 0; count < 20; count++) pair.writer.send("bulk", filled(60_000));
    await pair.settle();
    const sizeOf = () => pair.records.reduce((size, { length }) => size + length, 0);
    expect(sizeOf()).toBeGreaterThan(windowSize - 60_000);
    expect(sizeOf()).toBeLessThan(windowSize + 200);
    for (let round = 0; pair.messages.length < 20; round++) {
      expect(round).toBeLessThan(20);
      pair.readAll();
      pair.acknowledge();
      await pair.settle();
    }
    expect(pair.writer.buffered).toBe(0);
  });

  test("sends large messages as they were at the call, whether they leave at once or wait", async () => {
    const pair = createPair();
    await pair.settle();
    const message = filled(60_000);
    for (let count = 0; count < 20; count++) pair.writer.send("bulk", message.fill(count));
    expect(pair.records.length).toBe(9); // One is `ready`.
    for (let round = 0; pair.messages.length < 20; round++) {
      expect(round).toBeLessThan(20);
      pair.readAll();
      pair.acknowledge();
      await pair.settle();
    }
    expect(pair.messages.map(([, , first]) => first)).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });

  test("counts control and bulk that wait, and calls drain once at the low mark", async () => {
    const pair = createPair();
    pair.writer.lowMark = 1_000;
    pair.writer.send("control", filled(600));
    pair.writer.send("bulk", filled(600));
    pair.writer.send("lossy", filled(600));
    expect(pair.writer.buffered).toBe(1_200);
    expect(pair.drained).toBe(0);
    await pair.settle();
    expect(pair.writer.buffered).toBe(0);
    expect(pair.drained).toBe(1);
    pair.writer.send("control", filled(600));
    await pair.settle();
    expect(pair.drained).toBe(1);
  });

  test("counts as buffered what is on its way, but for what may have arrived without an ack", async () => {
    const pair = createPair();
    for (let count = 0; count < 4; count++) pair.writer.send("bulk", filled(60_000));
    await pair.settle();
    expect(pair.writer.buffered).toBe(240_000 - ackAfter);
    pair.writer.lowMark = 100_000;
    pair.readAll();
    expect(pair.drained).toBe(0);
    pair.acknowledge();
    await pair.settle();
    expect([pair.writer.buffered, pair.drained]).toEqual([0, 1]);
  });

  test.each([
    ["three chunks of a stream beside calls", true, 3],
    ["five chunks of a stream without calls", false, 5],
  ] as const)("keeps at most %s on their way", async (_, isCalling, expected) => {
    let scheduler: SendScheduler | undefined;
    const pair = createPair(() => scheduler?.drained());
    let now = 0;
    scheduler = createSendScheduler(Object.assign(pair.writer, { maxMessage }), { clock: { now: () => now } });
    scheduler.open({ message: maxMessage, assembly: 1_000_000 });
    const chunk = pack(filled(65_536), { name: "item", code: "invalid-response", depth: 1, size: 70_000 });
    const sendChunk = () => scheduler!.bulk("stream", [FrameKind.item, 1, chunk], sendChunk);
    sendChunk();
    let most = 0;
    for (let round = 0; round < 100; round++) {
      if (isCalling)
        scheduler.send("control", [
          FrameKind.call,
          round,
          "Echo",
          pack(1, { name: "request", code: "invalid-request", depth: 1, size: 100 }),
          null,
        ]);
      for (let turn = 0; turn < 10; turn++) await pair.settle();
      most = Math.max(most, pair.records.filter(({ length }) => length > 65_536).length);
      now++;
      pair.readOne();
      pair.acknowledge();
    }
    expect(most).toBe(expected);
  });

  test("drops lossy messages behind 16 KiB of others", async () => {
    const pair = createPair();
    for (let count = 0; count < 30; count++) pair.writer.send("lossy", filled(1_000, count));
    await pair.settle();
    pair.readAll();
    expect(pair.messages.map(([, , first]) => first)).toEqual(Array.from({ length: 17 }, (_, index) => index));
  });

  test("splits signals over records, too", async () => {
    const pair = createPair();
    for (let count = 0; count < 10_000; count++) pair.writer.signal(Kind.ack, filled(4, 0));
    await pair.settle();
    expect(pair.records.map(({ length }) => length <= maxRecord)).toEqual([true, true]);
    expect(pair.records.reduce((size, { length }) => size + length, 0)).toBe(4 + 10_000 * 8);
  });

  test("answers all pings of a record with one pong", async () => {
    const pair = createPair();
    await pair.settle();
    for (let count = 0; count < 20_000; count++) pair.writer.signal(Kind.pong);
    await pair.settle();
    expect(pair.records.slice(1)).toEqual([Uint8Array.of(Kind.pong, 0, 0, 0)]);
  });

  test("accepts no ack for more than it has sent", () => {
    expect(createPair().writer.onAck(1)).toBe(false);
  });
});

describe("the reader of records", () => {
  const ready = Uint8Array.of(Kind.ready, 0, 0, 0);
  const segment = (kind: number, size: number) =>
    concat(Uint8Array.of(kind, size >> 16, (size >> 8) & 255, size & 255), filled(size));

  test.for([
    ["a message before ready", segment(0, 1)],
    ["ready twice", concat(ready, ready)],
    ["half a head", concat(ready, Uint8Array.of(0, 0, 0))],
    ["a segment that is longer than its record", concat(ready, Uint8Array.of(0, 0, 0, 2, 1))],
    ["an unknown kind", concat(ready, segment(7, 0))],
    ["an ack for more than was sent", concat(ready, segment(Kind.ack, 4))],
  ] as const)("throws protocol for %s", ([, record]) => {
    const read = createRecordReader({
      message() {},
      sendAck() {},
      acknowledged: () => false,
      ready() {},
      ping() {},
      pong() {},
    });
    expect(() => read(record)).toThrow(expect.objectContaining({ code: "protocol" }));
  });

  test("keeps no record in memory for a message that is a small part of it", () => {
    const messages: Uint8Array[] = [];
    const read = createRecordReader({
      message: (_, message) => messages.push(message),
      sendAck() {},
      acknowledged: () => true,
      ready() {},
      ping() {},
      pong() {},
    });
    read(ready);
    read(concat(segment(0, 10), segment(2, 1_000)));
    expect(messages.map(({ length, buffer }) => [length, buffer.byteLength])).toEqual([
      [10, 10],
      [1_000, 1_018],
    ]);
  });
});
