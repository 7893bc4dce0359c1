import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { defineModule } from "../module.ts";
import { file, stream } from "./stream-schema.ts";
import { all, code, createLinkedPair } from "./testing/linked-pair.ts";

const Counted = defineModule("Counted", {
  request: v.object({ items: stream(v.pipe(v.string(), v.transform(Number))) }),
  response: stream(v.pipe(v.number(), v.minValue(0))),
});

async function* of<T>(...items: T[]): AsyncGenerator<T, void, void> {
  yield* items;
}

describe("stream()", () => {
  test("returns the output of its schema for each item", async () => {
    const { ann, bob, until } = createLinkedPair();
    bob.module(Counted, async function* ({ request }) {
      for await (const item of request.items) yield item + 1;
    });
    expect(await until(all(await until(ann.call(Counted, { items: of("1", "20") }).first())))).toEqual([2, 21]);
  });

  test("fails at an invalid item, and stops the producer", async () => {
    const { ann, bob, clock, until } = createLinkedPair();
    const stopped = vi.fn();
    bob.module(Counted, async function* ({ signal }) {
      signal.addEventListener("abort", stopped);
      for (const item of [1, 2, -3, 4]) yield item;
      await new Promise(() => {});
    });
    const items = await until(ann.call(Counted, { items: of() }).first());
    const read: number[] = [];
    const reading = (async () => {
      for await (const item of items) read.push(item);
    })();
    await expect(until(reading)).rejects.toMatchObject({ code: "invalid-response", data: [{ path: [] }] });
    expect(read).toEqual([1, 2]);
    await clock.advance(5);
    expect(stopped).toHaveBeenCalledOnce();
  });

  test("fails with `invalid-request` for the items of a request", async () => {
    const { ann, bob, until } = createLinkedPair();
    bob.module(Counted, async function* ({ request }) {
      yield* request.items;
    });
    const items = await until(ann.call(Counted, { items: of<any>(true) }).first());
    await expect(until(all(items))).rejects.toEqual(code("invalid-request"));
  });

  test("keeps items in order when their schema is asynchronous", async () => {
    const { ann, bob, clock, until } = createLinkedPair();
    const slow = v.pipeAsync(
      v.number(),
      v.transformAsync(async (n) => {
        await new Promise<void>((resolve) => void clock.after(10 - n, resolve));
        return n;
      }),
    );
    const Slow = defineModule("Slow", { response: stream(slow) });
    bob.module(Slow, () => of(1, 2, 3, 9, 4));
    const reader = (await until(ann.call(Slow).first())).getReader();
    const reads = Array.from({ length: 6 }, () => reader.read());
    const items = (await until(Promise.all(reads))).map(({ value }) => value);
    expect(items).toEqual([1, 2, 3, 9, 4, undefined]);
  });

  test("rejects anything but a stream", async () => {
    const { ann, bob, until } = createLinkedPair();
    bob.module(Counted, () => of(1));
    await expect(until(ann.call(Counted, { items: "none" as any }).first())).rejects.toMatchObject({
      code: "invalid-request",
      data: [{ message: "Expected a stream.", path: ["items"] }],
    });
  });

  test("validates a stream of the same page, for an app's own tests", async () => {
    const { items } = v.parse(Counted.request, { items: of("7") });
    expect(await all(items)).toEqual([7]);
    const source = of<any>("1", {}, "3");
    const broken = v.parse(Counted.request, { items: source }).items;
    await expect(all(broken)).rejects.toEqual(code("invalid-request"));
    expect(await source.next()).toEqual({ done: true, value: undefined });
  });

  test("stops the producer of a stream of the same page when its reader cancels", async () => {
    const source = of("1", "2");
    const reader = v.parse(Counted.request, { items: source }).items.getReader();
    await reader.read();
    await reader.cancel();
    expect(await source.next()).toEqual({ done: true, value: undefined });
  });
});

describe("file()", () => {
  const Put = defineModule("Put", { request: v.object({ file: file() }), response: file() });

  test("accepts blobs and returns files", async () => {
    const { ann, bob, until } = createLinkedPair();
    bob.module(Put, ({ request }) => request.file);
    const echo = await until(ann.call(Put, { file: new File(["abc"], "a") }).first());
    expect(echo).toMatchObject({ name: "a", size: 3 });
    const blob: Blob = await until(echo.blob());
    expect(await blob.text()).toBe("abc");
  });

  test("also reports the progress of a file that never left the page", async () => {
    const local = v.parse(file(), new Blob([new Uint8Array(100_000)]));
    const received: number[] = [];
    await local.blob({ onProgress: (progress) => received.push(progress.received) });
    expect([received[0], received.at(-1)]).toEqual([0, 100_000]);
  });

  test("rejects anything but a file", async () => {
    const { ann, bob, until } = createLinkedPair();
    bob.module(Put, ({ request }) => request.file);
    await expect(until(ann.call(Put, { file: of(1) as any }).first())).rejects.toMatchObject({
      code: "invalid-request",
      data: [{ message: "Expected a file.", path: ["file"] }],
    });
  });

  test("returns a blob of the same page as a file, for an app's own tests", async () => {
    const local = v.parse(Put.request, { file: new File(["abc"], "a", { type: "x/y" }) }).file;
    expect({ ...local }).toMatchObject({ name: "a", type: "x/y", size: 3 });
    expect(await new Response(local.stream()).text()).toBe("abc");
  });
});

test("other schema libraries pass streams and files through", async () => {
  const { ann, bob, until } = createLinkedPair();
  const list = z.custom<AsyncIterable<number>>((value) => value instanceof ReadableStream);
  const Zod = defineModule("Zod", { request: z.object({ list }), response: type({ list: "object" }) });
  bob.module(Zod, ({ request }) => ({ list: request.list }));
  const answer = await until(ann.call(Zod, { list: of(1, 2) }).first());
  expect(await until(all(answer.list as AsyncIterable<number>))).toEqual([1, 2]);
});
