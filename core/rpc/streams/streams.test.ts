import { describe, expect, test, vi } from "vitest";
import { BonevalueError } from "../../errors.ts";
import { Kind } from "../../wire/frames.ts";
import type { HandlerContext } from "../module.ts";
import type { IncomingStream } from "./incoming-stream.ts";
import { all, code, createLinkedPair } from "./testing/linked-pair.ts";

describe("reading", () => {
  test("nothing is pulled or sent before somebody reads", async () => {
    const { ann, bob, clock, until, source } = createLinkedPair();
    const counter = source({ to: 3 });
    bob.module("Count", counter.items);
    const items: IncomingStream<number> = await until(ann.call("Count").first());
    await clock.advance(1_000);
    expect([counter.pulled, bob.bytesInFlight]).toEqual([0, 0]);
    expect(await until(all(items))).toEqual([1, 2, 3]);
    expect([ann.rpc.isIdle, bob.rpc.isIdle]).toEqual([true, true]);
  });

  test("any number of streams travel in both directions, anywhere in a value", async () => {
    const { ann, bob, until, source } = createLinkedPair();
    bob.module("Sums", async ({ request: { lists } }) => {
      const sums = await Promise.all(
        lists.map(async (list: IncomingStream<number>) => (await all(list)).reduce((a, b) => a + b)),
      );
      return { sums, more: new Map([["echo", source({ to: 2 }).items()]]) };
    });
    const lists = [source({ to: 3 }).items(), new ReadableStream({ start: enqueueAll([10, 20]) })];
    const { sums, more } = await until(ann.call("Sums", { lists }).first());
    expect(sums).toEqual([6, 30]);
    expect(await until(all(more.get("echo")))).toEqual([1, 2]);
  });

  test("a received stream is a ReadableStream, and its items may be any values", async () => {
    const { ann, bob, until } = createLinkedPair();
    const items = [undefined, null, new Date(7), new Map([[1n, new Set(["a"])]]), new Uint8Array(100_000), { a: [1] }];
    bob.module("Items", async function* () {
      yield* items;
    });
    const stream: IncomingStream<unknown> = await until(ann.call("Items").first());
    expect(stream).toBeInstanceOf(ReadableStream);
    const doubled = stream.pipeThrough(new TransformStream({ transform: (item, to) => to.enqueue([item, item]) }));
    expect(await until(all(doubled as IncomingStream<unknown>))).toEqual(items.map((item) => [item, item]));
  });

  test("a chunk that is transferred before it was sent fails the stream on both sides", async () => {
    const { ann, bob, clock, until } = createLinkedPair({ bandwidth: 5_000 });
    const chunks = Array.from({ length: 50 }, () => new Uint8Array(60_000));
    const cleanedUp = vi.fn();
    bob.module("Bytes", async function* () {
      try {
        for (const chunk of chunks) {
          clock.after(1, () => structuredClone(chunk, { transfer: [chunk.buffer] }));
          yield chunk;
        }
      } finally {
        cleanedUp();
      }
    });
    const stream: IncomingStream<Uint8Array> = await until(ann.call("Bytes").first());
    const receive = vi.spyOn(ann.rpc, "receive");
    const sizes = (async () => {
      for await (const { length } of stream) expect(length).toBe(60_000);
    })();
    await expect(until(sizes)).rejects.toEqual(code("unsupported"));
    await clock.advance(100);
    expect(receive.mock.calls.filter(([frame]) => frame[0] === Kind.end)).toHaveLength(1);
    expect(cleanedUp).toHaveBeenCalledOnce();
    expect([ann.rpc.isIdle, bob.rpc.isIdle]).toEqual([true, true]);
  });

  test("a producer is never further ahead than the window while its consumer waits", async () => {
    const { ann, bob, clock, until, source } = createLinkedPair();
    const counter = source({ bytes: 64 * 1_024 });
    bob.module("Bytes", counter.items);
    const reader = (await until<IncomingStream<Uint8Array>>(ann.call("Bytes").first())).getReader();
    await until(reader.read());
    await clock.advance(60_000);
    expect(counter.pulled).toBeLessThanOrEqual(6);
    for (let n = 0; n < 100; n++) {
      await until(reader.read());
      await clock.advance(1_000);
    }
    expect(counter.pulled - 101).toBeLessThanOrEqual(5);
  });

  test("a fast reader enlarges the window of a long path", async () => {
    const { ann, bob, clock, until, source } = createLinkedPair({ latency: 50 });
    const counter = source({ bytes: 64 * 1_024 });
    bob.module("Bytes", counter.items);
    const reader = (await until<IncomingStream<Uint8Array>>(ann.call("Bytes").first())).getReader();
    const rest = (async () => {
      while (!(await reader.read()).done);
    })();
    await clock.advance(2_000);
    const before = counter.pulled;
    await clock.advance(1_000);
    expect((counter.pulled - before) * 64 * 1_024).toBeGreaterThan(10_000_000);
    await reader.cancel();
    await rest;
  });

  test("streams of one link take turns", async () => {
    const { ann, bob, clock, until, source } = createLinkedPair();
    const sources = [source({ bytes: 50_000 }), source({ bytes: 50_000 })];
    bob.module("Bytes", () => sources.map(({ items }) => items()));
    const streams: IncomingStream<Uint8Array>[] = await until(ann.call("Bytes").first());
    const counts = [0, 0];
    streams.map(async (stream, index) => {
      for await (const _ of stream) counts[index]!++;
    });
    await clock.advance(20);
    expect(counts[0]).toBeGreaterThan(20);
    expect(Math.abs(counts[0]! - counts[1]!)).toBeLessThanOrEqual(1 + counts[0]! * 0.1);
  });
});

describe("ending", () => {
  test("leaving the loop stops the producer, runs its clean-up and aborts its signal", async () => {
    const { ann, bob, clock, until, source } = createLinkedPair();
    const counter = source();
    let exchange: HandlerContext<unknown> | undefined;
    bob.module("Count", (given) => {
      exchange = given;
      return counter.items();
    });
    const items: IncomingStream<number> = await until(ann.call("Count").first());
    const { signal } = exchange!;
    const left = (async () => {
      for await (const item of items) if (item === 3) break;
    })();
    await until(left);
    expect(ann.rpc.isIdle).toBe(true);
    await clock.advance(10);
    expect(counter.cleanedUp).toBe(true);
    expect(signal.reason).toEqual(code("cancelled"));
    expect(bob.rpc.isIdle).toBe(true);
  });

  test("the abort of its signal releases a producer that waits for something else", async () => {
    const { ann, bob, clock, until } = createLinkedPair();
    let cleanedUp = false;
    bob.module("Wait", async function* ({ signal }) {
      try {
        yield 1;
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      } finally {
        cleanedUp = true;
      }
    });
    const reader = (await until<IncomingStream<number>>(ann.call("Wait").first())).getReader();
    await until(reader.read());
    reader.read();
    await clock.advance(10);
    await reader.cancel();
    await clock.advance(10);
    expect(cleanedUp).toBe(true);
  });

  test("a fragmented item is not finished for a consumer that has left", async () => {
    const { ann, bob, clock, until } = createLinkedPair({ bandwidth: 1_000 });
    const source = new Blob([new Uint8Array(5_000_000)]);
    bob.module("Large", async function* () {
      yield new Uint8Array(await source.arrayBuffer());
    });
    const reader = (await until<IncomingStream<Uint8Array>>(ann.call("Large").first())).getReader();
    reader.read();
    await clock.advance(500);
    await reader.cancel();
    await clock.advance(500);
    expect([bob.bytesInFlight, bob.rpc.isIdle, bob.scheduler.isEmpty]).toEqual([0, true, true]);
  });

  test("the signal of an answer that ended by itself does not abort", async () => {
    const { ann, bob, until, source } = createLinkedPair();
    let signal: AbortSignal | undefined;
    bob.module("Count", (exchange) => {
      signal = exchange.signal;
      return source({ to: 1 }).items();
    });
    await until(all(await until(ann.call("Count").first())));
    expect(signal?.aborted).toBe(false);
  });

  test("the signal of a call that was answered without streams does not abort when the link is lost", async () => {
    const { ann, bob, until, cut } = createLinkedPair();
    let signal: AbortSignal | undefined;
    bob.module("Any", (exchange) => {
      signal = exchange.signal;
      return "done";
    });
    await until(ann.call("Any").first());
    cut();
    expect(signal?.aborted).toBe(false);
  });

  test("stopping one stream of an answer aborts nothing while another is read", async () => {
    const { ann, bob, clock, until, source } = createLinkedPair();
    let signal: AbortSignal | undefined;
    bob.module("Two", (exchange) => {
      signal = exchange.signal;
      return [source().items(), source().items()];
    });
    const [one, other]: IncomingStream<number>[] = await until(ann.call("Two").first());
    await one!.cancel();
    await clock.advance(10);
    expect(signal?.aborted).toBe(false);
    await other!.cancel();
    await clock.advance(10);
    expect(signal?.aborted).toBe(true);
  });

  test("an error of the producer reaches the reader after the items, with code and message, without the stack", async () => {
    const { ann, bob, until, source } = createLinkedPair();
    bob.module(
      "Fail",
      source({ to: 2, fail: Object.assign(new RangeError("out of paper"), { stack: "secret" }) }).items,
    );
    bob.module("Busy", source({ to: 0, fail: new BonevalueError("busy", "later") }).items);
    const items: IncomingStream<number> = await until(ann.call("Fail").first());
    const read: number[] = [];
    const error = await until(
      (async () => {
        for await (const item of items) read.push(item);
      })().catch((error) => error),
    );
    expect(read).toEqual([1, 2]);
    expect(error).toMatchObject({ code: "handler-failed", message: "out of paper" });
    expect(error.stack).not.toContain("secret");
    const busy: IncomingStream<number> = await until(ann.call("Busy").first());
    await expect(until(all(busy))).rejects.toMatchObject({ code: "busy", message: "later" });
  });

  test("an item that cannot be sent ends the stream, and the error names it", async () => {
    const { ann, bob, until } = createLinkedPair();
    let cleanedUp = false;
    bob.module("Functions", async function* () {
      try {
        yield { run: () => {} };
      } finally {
        cleanedUp = true;
      }
    });
    const items: IncomingStream<unknown> = await until(ann.call("Functions").first());
    await expect(until(all(items))).rejects.toMatchObject({
      code: "invalid-response",
      message: expect.stringContaining("item.run is a function"),
    });
    expect(cleanedUp).toBe(true);
  });

  test("an iterator that breaks its contract ends its stream with an error, and nothing else", async () => {
    const { ann, bob, until } = createLinkedPair();
    const nexts: (() => any)[] = [() => undefined, () => ({ done: false, value: 1 }), () => Promise.reject(null)];
    bob.module("Odd", () => nexts.map((next) => ({ [Symbol.asyncIterator]: () => ({ next }) })));
    const [nothing, , rejecting]: IncomingStream<unknown>[] = await until(ann.call("Odd").first());
    await expect(until(all(nothing!))).rejects.toEqual(code("handler-failed"));
    await expect(until(all(rejecting!))).rejects.toEqual(code("handler-failed"));
    expect(bob.ended).toBeUndefined();
  });

  test("the loss of the link is `disconnected` for the reader, and ends the producer", async () => {
    const { ann, bob, cut, clock, until, source } = createLinkedPair();
    const [there, back] = [source(), source()];
    let signal: AbortSignal | undefined;
    let request: Promise<unknown> | undefined;
    bob.module("Both", (exchange) => {
      signal = exchange.signal;
      request = all(exchange.request).catch((error) => error);
      return back.items();
    });
    const items: IncomingStream<number> = await until(ann.call("Both", there.items()).first());
    const read = all(items).catch((error) => error);
    await clock.advance(50);
    cut();
    expect(await until(read)).toEqual(code("disconnected"));
    expect(await until(request!)).toEqual(code("disconnected"));
    expect(signal?.reason).toEqual(code("disconnected"));
    await clock.advance(1);
    expect([there.cleanedUp, back.cleanedUp]).toEqual([true, true]);
  });

  test("the loss of the link ends the producer of a message's stream", async () => {
    const { ann, bob, cut, clock, source } = createLinkedPair();
    const endless = source();
    let read: Promise<unknown> | undefined;
    bob.module("Read", ({ request }) => {
      read = all(request).catch((error) => error);
    });
    ann.notify("Read", endless.items());
    await clock.advance(50);
    cut();
    await clock.advance(1);
    expect([endless.cleanedUp, await read]).toEqual([true, code("disconnected")]);
  });

  test("the loss of the link cancels the stream of a message that has not left yet", async () => {
    const { ann, cut, clock } = createLinkedPair({ bandwidth: 1_000 });
    const cancel = vi.fn();
    ann.notify("Fill", new Uint8Array(1_000_000));
    ann.notify("Read", { bytes: new Uint8Array(100_000), items: new ReadableStream({ cancel }) });
    await clock.advance(1);
    expect(cancel).not.toHaveBeenCalled();
    cut();
    await clock.advance(1);
    expect(cancel.mock.calls).toEqual([[code("disconnected")]]);
  });

  test("a stream that has arrived completely is read to its end after the link is lost", async () => {
    const { ann, bob, cut, clock, until, source } = createLinkedPair();
    bob.module("Count", source({ to: 3 }).items);
    const reader = (await until<IncomingStream<number>>(ann.call("Count").first())).getReader();
    await until(reader.read());
    await clock.advance(10);
    cut();
    expect([await reader.read(), await reader.read(), await reader.read()]).toEqual([
      { done: false, value: 2 },
      { done: false, value: 3 },
      { done: true, value: undefined },
    ]);
  });

  test("the call's signal ends its streams on both sides, even after the reply", async () => {
    const { ann, bob, clock, until, source } = createLinkedPair();
    const [there, back] = [source(), source()];
    let request: Promise<unknown> | undefined;
    bob.module("Both", (exchange) => {
      request = all(exchange.request).catch((error) => error);
      return back.items();
    });
    const controller = new AbortController();
    const { signal } = controller;
    const items: IncomingStream<number> = await until(ann.call("Both", there.items(), { signal }).first());
    const read = all(items).catch((error) => error);
    await clock.advance(20);
    controller.abort("enough");
    expect(await until(read)).toMatchObject({ code: "cancelled", cause: "enough" });
    expect(await until(request!)).toEqual(code("cancelled"));
    await clock.advance(10);
    expect([there.cleanedUp, back.cleanedUp, ann.rpc.isIdle, bob.rpc.isIdle]).toEqual([true, true, true, true]);
  });

  test("cancelling a call before its reply ends the streams of its request", async () => {
    const { ann, bob, clock, until, source } = createLinkedPair();
    const counter = source();
    let request: Promise<unknown> | undefined;
    bob.module("Never", (exchange) => {
      request = all(exchange.request).catch((error) => error);
      return new Promise(() => {});
    });
    const replies = ann.call("Never", counter.items());
    await clock.advance(20);
    expect(counter.pulled).toBeGreaterThan(10);
    replies.cancel();
    await expect(replies.first()).rejects.toEqual(code("cancelled"));
    expect(await until(request!)).toEqual(code("cancelled"));
    expect([counter.cleanedUp, ann.rpc.isIdle, bob.rpc.isIdle]).toEqual([true, true, true]);
  });

  test("cancelling the replies, or leaving their loop, does not affect streams that have arrived", async () => {
    const { ann, bob, until, source } = createLinkedPair();
    bob.module("Count", source({ to: 3 }).items);
    const replies = ann.call("Count");
    let items: IncomingStream<number> | undefined;
    const loop = (async () => {
      for await (const { value } of replies) {
        items = value;
        break;
      }
    })();
    await until(loop);
    replies.cancel();
    expect(await until(all(items!))).toEqual([1, 2, 3]);
  });

  test("a stream of the request that the handler has not claimed when it answers is cancelled", async () => {
    const { ann, bob, clock, until, source } = createLinkedPair();
    const [ignored, taken, refused] = [source(), source(), source()];
    let reader: ReadableStreamDefaultReader<number> | undefined;
    bob.module("Half", ({ request }) => {
      reader = request.taken.getReader();
      return "done";
    });
    await until(ann.call("Half", { ignored: ignored.items(), taken: taken.items() }).first());
    await expect(until(ann.call("Nothing", refused.items()).first())).rejects.toEqual(code("unknown-module"));
    await clock.advance(10);
    expect([ignored, taken, refused].map(({ cleanedUp }) => cleanedUp)).toEqual([false, false, false]);
    expect(await until(reader!.read())).toEqual({ done: false, value: 1 });
    await reader!.cancel();
    await clock.advance(10);
    expect([ann.rpc.isIdle, bob.rpc.isIdle, taken.cleanedUp]).toEqual([true, true, true]);
  });

  test("a generator reads the request's stream while it answers, and the rest is cancelled with the answer", async () => {
    const { ann, bob, clock, until, source } = createLinkedPair();
    const [doubled, ignored] = [source({ to: 3 }), source()];
    bob.module("Double", async function* ({ request }) {
      for await (const item of request.doubled) yield item * 2;
    });
    const request = { doubled: doubled.items(), ignored: ignored.items() };
    expect(await until(all(await until(ann.call("Double", request).first())))).toEqual([2, 4, 6]);
    await clock.advance(5);
    expect([ann.rpc.isIdle, bob.rpc.isIdle, doubled.cleanedUp, ignored.pulled]).toEqual([true, true, true, 0]);
  });

  test("a handler that throws ends the streams of its request", async () => {
    const { ann, bob, clock, until, source } = createLinkedPair();
    const counter = source();
    bob.module("Throw", async ({ request }) => {
      await request.getReader().read();
      throw new Error("no");
    });
    await expect(until(ann.call("Throw", counter.items()).first())).rejects.toEqual(code("handler-failed"));
    await clock.advance(10);
    expect([counter.cleanedUp, ann.rpc.isIdle, bob.rpc.isIdle]).toEqual([true, true, true]);
  });

  test("a stream of an answer that nobody reads is cancelled after `idleTimeout`", async () => {
    const { ann, bob, clock, until, source } = createLinkedPair({ idleTimeout: 5_000 });
    bob.module("Two", () => [source().items(), source().items()]);
    const [read, unread]: IncomingStream<number>[] = await until(ann.call("Two").first());
    const reader = read!.getReader();
    await clock.advance(4_900);
    expect(ann.rpc.isIdle).toBe(false);
    await clock.advance(300);
    await expect(until(all(unread!))).rejects.toEqual(code("cancelled"));
    expect(await until(reader.read())).toEqual({ done: false, value: 1 });
    await reader.cancel();
    await clock.advance(10);
    expect(bob.rpc.isIdle).toBe(true);
  });

  test("the streams of an answer that nobody waits for are stopped", async () => {
    const { ann, bob, clock, source } = createLinkedPair({ latency: 20 });
    const counter = source();
    bob.module("Count", counter.items);
    const replies = ann.call("Count");
    await clock.advance(30);
    expect(bob.rpc.isIdle).toBe(false);
    replies.cancel();
    await clock.advance(100);
    expect([ann.rpc.isIdle, bob.rpc.isIdle, bob.ended]).toEqual([true, true, undefined]);
  });

  test("the stream of an answer that is too late is cancelled at once", async () => {
    const { ann, bob, clock } = createLinkedPair();
    const cancel = vi.fn();
    const { promise, resolve } = Promise.withResolvers<unknown>();
    bob.module("Late", () => promise);
    const replies = ann.call("Late");
    await clock.advance(10);
    replies.cancel();
    await clock.advance(10);
    resolve({ answer: new ReadableStream({ cancel }) });
    await clock.advance(10);
    expect(cancel).toHaveBeenCalledWith(code("cancelled"));
  });
});

describe("sending", () => {
  test("a stream that is already being read is rejected", async () => {
    const { ann, bob, until } = createLinkedPair();
    bob.module("Any", () => 1);
    const locked = new ReadableStream();
    locked.getReader();
    await expect(until(ann.call("Any", { locked }).first())).rejects.toEqual(code("unsupported"));
  });

  test("a generator that is in a value twice, or was sent before, is rejected", async () => {
    const { ann, bob, until } = createLinkedPair();
    bob.module("Any", () => 1);
    const generate = async function* () {
      yield 1;
    };
    const items = generate();
    await expect(until(ann.call("Any", [items, items]).first())).rejects.toEqual(code("unsupported"));
    const others = generate();
    expect(await until(ann.call("Any", others).first())).toBe(1);
    await expect(until(ann.call("Any", others).first())).rejects.toEqual(code("unsupported"));
  });

  test("streams in a request that cannot be sent are cancelled", async () => {
    const { ann } = createLinkedPair();
    const cancel = vi.fn();
    const stream = new ReadableStream({ cancel });
    await expect(ann.call("Any", { stream, run() {} }).first()).rejects.toEqual(code("invalid-request"));
    expect(cancel).toHaveBeenCalledWith(code("cancelled"));
  });

  test("an incoming stream can be sent on", async () => {
    const { ann, bob, until, source } = createLinkedPair();
    bob.module("Echo", ({ request }) => request);
    const echo: IncomingStream<number> = await until(ann.call("Echo", source({ to: 3 }).items()).first());
    expect(await until(all(echo))).toEqual([1, 2, 3]);
    expect([ann.rpc.isIdle, bob.rpc.isIdle]).toEqual([true, true]);
  });

  test("a message without an answer may hold streams", async () => {
    const { ann, bob, clock, source } = createLinkedPair();
    const counter = source({ to: 3 });
    let items: Promise<unknown[]> | undefined;
    bob.module("Keep", ({ request }) => {
      items = all(request.items);
    });
    ann.notify("Keep", { items: counter.items() });
    await clock.advance(20);
    expect(await items).toEqual([1, 2, 3]);
    expect([ann.rpc.isIdle, bob.rpc.isIdle]).toEqual([true, true]);
  });

  test("a clean-up that fails is an uncaught error of the app", async () => {
    const reported = vi.spyOn(console, "error").mockImplementation(() => {});
    const { ann, bob, clock, until } = createLinkedPair();
    const dirty: AsyncIterator<Uint8Array> = {
      next: async () => ({ done: false, value: new Uint8Array(300_000) }),
      return: () => Promise.reject(new Error("stuck")),
    };
    bob.module("Dirty", () => ({ [Symbol.asyncIterator]: () => dirty }));
    const reader = (await until<IncomingStream<number>>(ann.call("Dirty").first())).getReader();
    await until(reader.read());
    await reader.cancel();
    await clock.advance(10);
    expect(reported).toHaveBeenCalledWith(expect.objectContaining({ message: "stuck" }));
    reported.mockRestore();
    expect(bob.rpc.isIdle).toBe(true);
  });
});

describe("a peer that breaks the protocol loses its link", () => {
  test("by an item without credit", async () => {
    const { ann, bob, clock, until, source } = createLinkedPair();
    bob.module("Wait", () => source().items());
    const items: IncomingStream<number> = await until(ann.call("Wait").first());
    bob.scheduler.bulk(0, [Kind.item, 1, { bytes: Uint8Array.of(1), annotations: [], size: 1, hasAttachments: false }]);
    await clock.advance(10);
    expect(ann.ended).toEqual(code("protocol"));
    await expect(all(items)).rejects.toEqual(code("protocol"));
  });

  test("by credit for items that were never sent", async () => {
    const { ann, bob, clock, until, source } = createLinkedPair();
    const counter = source();
    bob.module("Count", counter.items);
    await until(ann.call("Count").first());
    ann.scheduler.send("control", [Kind.credit, 1, 1_000, 2_000]);
    await clock.advance(10);
    expect(bob.ended).toEqual(code("protocol"));
  });

  test("but not by frames of an unknown stream, which may have ended meanwhile", async () => {
    const { ann, bob, clock } = createLinkedPair();
    ann.scheduler.send("control", [Kind.credit, 9, 1_000, 2_000]);
    ann.scheduler.send("control", [Kind.stop, 9, "cancelled"]);
    ann.scheduler.bulk(0, [Kind.end, 9]);
    ann.scheduler.bulk(0, [Kind.item, 9, { bytes: Uint8Array.of(1), annotations: [], size: 1, hasAttachments: false }]);
    await clock.advance(10);
    expect(bob.ended).toBeUndefined();
  });
});

function enqueueAll(items: readonly unknown[]) {
  return (controller: ReadableStreamDefaultController) => {
    for (const item of items) controller.enqueue(item);
    controller.close();
  };
}
