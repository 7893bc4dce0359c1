import { describe, expect, test, vi } from "vitest";
import { Kind } from "../../wire/frames.ts";
import { pack } from "../../wire/pack.ts";
import type { IncomingStream } from "./incoming-stream.ts";
import { all, code, createLinkedPair } from "./testing/linked-pair.ts";

const bytes = (length: number) => new Uint8Array(length);

async function* of<T>(...items: T[]): AsyncGenerator<T, void, void> {
  yield* items;
}

describe("the number of open streams", () => {
  test("is limited by the other side: a call with more fails with `busy`, and the others continue", async () => {
    const { ann, bob, clock, until } = createLinkedPair({ limits: { streamsPerPeer: 2 } });
    const kept: ReadableStreamDefaultReader[] = [];
    bob.module("Keep", ({ request }) => {
      for (const items of request) kept.push(items.getReader());
      return "done";
    });
    await until(ann.call("Keep", [of(1), of(2)]).first());
    await expect(until(ann.call("Keep", [of(3)]).first())).rejects.toEqual(code("busy"));
    await until(kept[0]!.read());
    await until(kept[0]!.read());
    await clock.advance(5);
    await until(ann.call("Keep", [of(4)]).first());
    expect(kept).toHaveLength(3);
  });

  test.for([
    ["with more", () => [of(1), of(2)], "busy"],
    ["too large for the other side", () => bytes(20_000), "too-large"],
  ] as const)("nothing is said of a call or a message %s", async ([, request, why]) => {
    const { ann, bob, clock, until } = createLinkedPair({ limits: { streamsPerPeer: 1 }, hello: { value: 10_000 } });
    const receive = vi.spyOn(bob.rpc, "receive");
    ann.notify("Any", request());
    await expect(until(ann.call("Any", request()).first())).rejects.toEqual(code(why));
    await clock.advance(5);
    expect(receive).not.toHaveBeenCalled();
    expect(ann.errors).toEqual([code(why)]);
  });

  test("fails an answer with more with `busy`", async () => {
    const { ann, bob, until } = createLinkedPair({ limits: { streamsPerPeer: 2 } });
    bob.module("Many", () => [of(1), of(2), of(3)]);
    await expect(until(ann.call("Many").first())).rejects.toEqual(code("busy"));
    expect([ann.rpc.isIdle, bob.rpc.isIdle]).toEqual([true, true]);
  });

  test("fails a message with more at its sender", async () => {
    const { ann, clock } = createLinkedPair({ limits: { streamsPerPeer: 1 } });
    ann.notify("Any", [of(1), of(2)]);
    await clock.advance(5);
    expect(ann.errors).toEqual([code("busy")]);
    expect(ann.rpc.isIdle).toBe(true);
  });

  test.for([
    ["more than it was told", [1, 2, 3]],
    ["two under one number", [1, 1]],
    ["one that is numbered 0", [0]],
  ] as const)("a peer that announces %s loses its link", async ([, ids]) => {
    const { ann, bob, clock } = createLinkedPair({ limits: { streamsPerPeer: 2 } });
    const left = [...ids];
    const attach = () => ({ kind: "stream", detail: left.shift() }) as const;
    const request = pack(
      ids.map(() => of()),
      { name: "request", code: "invalid-request", depth: 4, size: 100, attach },
    );
    ann.scheduler.bulk(0, [Kind.call, 1, "Any", request, null]);
    await clock.advance(5);
    expect(bob.ended).toEqual(code("protocol"));
  });
});

describe("bytes", () => {
  test("of an item beyond `messageSize` end the stream with `too-large`", async () => {
    const { ann, bob, until } = createLinkedPair({ limits: { messageSize: 10_000 } });
    bob.module("Large", () => of(bytes(9_000), bytes(10_000)));
    const items: IncomingStream<Uint8Array> = await until(ann.call("Large").first());
    await expect(until(all(items))).rejects.toEqual(code("too-large"));
    expect(bob.ended).toBeUndefined();
  });

  test("that wait to be read beyond `bytesPerPeer` end their stream with `too-large`, and not the link", async () => {
    const limits = { messageSize: 1_000_000, bytesPerPeer: 2_000_000 };
    const { ann, bob, clock, until } = createLinkedPair({ limits });
    bob.module("Large", () => Array.from({ length: 4 }, () => of(bytes(900_000), bytes(900_000), bytes(900_000))));
    const streams: IncomingStream<Uint8Array>[] = await until(ann.call("Large").first());
    const readers = streams.map((items) => items.getReader());
    await until(Promise.all(readers.map((reader) => reader.read())));
    await clock.advance(100);
    const ends = await until(Promise.allSettled(readers.map((reader) => reader.read())));
    const reasons = ends.flatMap((end) => (end.status === "rejected" ? [end.reason] : []));
    expect(reasons.length).toBeGreaterThan(0);
    expect(reasons).toEqual(reasons.map(() => code("too-large")));
    expect(ann.ended).toBeUndefined();
  });

  test("that many streams may send in advance are limited in total", async () => {
    const limits = { bytesPerPeer: 8_000_000, streamsPerPeer: 100 };
    const { ann, bob, clock, until, source } = createLinkedPair({ limits });
    const sources = Array.from({ length: 100 }, () => source({ bytes: 1_000 }));
    bob.module("Many", () => sources.map(({ items }) => items()));
    const streams: IncomingStream<Uint8Array>[] = await until(ann.call("Many").first());
    const readers = streams.map((items) => items.getReader());
    await until(Promise.all(readers.map((reader) => reader.read())));
    await clock.advance(1_000);
    const sent = sources.reduce((sum, { pulled }) => sum + pulled * 1_000, 0);
    expect(sent).toBeLessThan(2_000_000);
  });
});
