import { describe, expect, test } from "vitest";
import type { Progress } from "../call-peer.ts";
import type { IncomingStream } from "./incoming-stream.ts";
import { code, createLinkedPair } from "./testing/linked-pair.ts";

describe("a call's deadline", () => {
  test("is extended on both sides while the request's stream is read", async () => {
    const { ann, bob, clock, source } = createLinkedPair();
    let aborted: unknown;
    bob.module("Slow", async ({ request, signal }) => {
      signal.addEventListener("abort", () => {
        aborted = signal.reason;
      });
      let items = 0;
      for await (const _ of request) {
        items++;
        await new Promise<void>((resolve) => void clock.after(800, resolve));
      }
      return items;
    });
    const replies = ann.call("Slow", source({ to: 20 }).items(), { timeout: 2_000 });
    const reply = replies.first();
    await clock.advance(17_000);
    expect(aborted).toBeUndefined();
    expect(await reply).toBe(20);
  });

  test("passes if nothing is read, and ends the stream on both sides", async () => {
    const { ann, bob, clock, source } = createLinkedPair();
    const counter = source();
    let signal: AbortSignal | undefined;
    let stuck: ReadableStreamDefaultReader<number> | undefined;
    bob.module("Stuck", async (exchange) => {
      signal = exchange.signal;
      stuck = exchange.request.getReader();
      await stuck?.read();
      return new Promise(() => {});
    });
    const reply = ann.call("Stuck", counter.items(), { timeout: 2_000 }).first();
    reply.catch(() => {});
    await clock.advance(1_900);
    expect(signal?.aborted).toBe(false);
    await clock.advance(400);
    await expect(reply).rejects.toEqual(code("timeout"));
    expect(signal?.reason).toEqual(code("timeout"));
    await expect(stuck?.read()).rejects.toEqual(code("timeout"));
    expect([counter.cleanedUp, ann.rpc.isIdle, bob.rpc.isIdle]).toEqual([true, true, true]);
  });

  test("ends with the reply, and the streams of both sides continue", async () => {
    const { ann, bob, clock, until, source } = createLinkedPair();
    let request: ReadableStreamDefaultReader<number> | undefined;
    bob.module("Both", (exchange) => {
      request = exchange.request.getReader();
      return source().items();
    });
    const answer: IncomingStream<number> = await until(ann.call("Both", source().items(), { timeout: 500 }).first());
    const reader = answer.getReader();
    await until(reader.read());
    await clock.advance(60_000);
    expect(await until(reader.read())).toEqual({ done: false, value: 2 });
    expect(await until(request!.read())).toEqual({ done: false, value: 1 });
  });
});

describe("onProgress", () => {
  test("counts the bytes of all files as the other side reads them", async () => {
    const { ann, bob, until } = createLinkedPair();
    bob.module("Put", async ({ request }) => (await request.file.blob()).size + (await request.note.blob()).size);
    const progress: Progress[] = [];
    const size = 1_000_000;
    const request = { file: new Blob([new Uint8Array(size - 5)]), note: new Blob(["12345"]) };
    await until(ann.call("Put", request, { onProgress: (now) => progress.push(now) }).first());
    expect(progress.length).toBeGreaterThan(3);
    expect(progress.every(({ total }) => total === size)).toBe(true);
    const sent = progress.map(({ sent }) => sent);
    expect(sent).toEqual([...sent].sort((a, b) => a - b));
    expect(progress.at(-1)).toEqual({ peer: { id: "other", name: "other", profile: {} }, sent: size, total: size });
  });

  test("reports the last bytes, even if they are few", async () => {
    const { ann, bob, clock, until } = createLinkedPair();
    bob.module("Put", async ({ request }) => (await request.blob()).size);
    const progress: number[] = [];
    await until(ann.call("Put", new Blob(["0123456789"]), { onProgress: ({ sent }) => progress.push(sent) }).first());
    await clock.advance(5);
    expect(progress.at(-1)).toBe(10);
  });

  test("has no total if a stream is among the files", async () => {
    const { ann, bob, until } = createLinkedPair();
    bob.module("Put", async ({ request }) => {
      for await (const _ of request.items);
      return "done";
    });
    const progress: Progress[] = [];
    async function* items() {
      for (let n = 0; n < 10; n++) yield new Uint8Array(50_000);
    }
    const request = { file: new Blob(["x"]), items: items() };
    await until(ann.call("Put", request, { onProgress: (now) => progress.push(now) }).first());
    expect(progress.at(-1)).toMatchObject({ sent: 500_000, total: undefined });
  });
});
