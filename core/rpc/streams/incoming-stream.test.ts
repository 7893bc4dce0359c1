import { afterEach, describe, expect, test, vi } from "vitest";
import { createIncomingStream, type IncomingStream } from "./incoming-stream.ts";
import { iterate } from "./iterate.ts";

function count(to: number, cancel = (_: unknown) => {}): IncomingStream<number> {
  let n = 0;
  return createIncomingStream({
    pull(controller) {
      if (n === to) controller.close();
      else controller.enqueue(++n);
    },
    cancel,
  });
}

test("an incoming stream pulls nothing before it is read, and no more than is read", async () => {
  const pull = vi.fn((controller: ReadableStreamDefaultController<number>) => controller.enqueue(1));
  const reader = createIncomingStream({ pull, cancel() {} }).getReader();
  // A stream with a buffer would have pulled by now.
  await new Promise<void>((pull) => new ReadableStream({ pull: () => pull() }));
  expect(pull).not.toHaveBeenCalled();
  await reader.read();
  expect(pull).toHaveBeenCalledOnce();
});

describe("in browsers whose streams are not iterable", () => {
  const native = Object.getOwnPropertyDescriptor(ReadableStream.prototype, Symbol.asyncIterator)!;
  afterEach(() => {
    Object.defineProperty(ReadableStream.prototype, Symbol.asyncIterator, native);
  });

  function without(): void {
    Reflect.deleteProperty(ReadableStream.prototype, Symbol.asyncIterator);
  }

  test("incoming streams are iterable", async () => {
    without();
    const read: number[] = [];
    for await (const item of count(3)) read.push(item);
    expect(read).toEqual([1, 2, 3]);
  });

  test("leaving the loop cancels the stream", async () => {
    without();
    const cancel = vi.fn();
    const stream = count(3, cancel);
    for await (const _ of stream) break;
    expect(cancel).toHaveBeenCalledOnce();
    expect(stream.locked).toBe(false);
  });
});

test("the loop throws the error of a stream that fails", async () => {
  const stream = createIncomingStream({ pull: () => Promise.reject(new Error("torn")), cancel() {} });
  await expect(iterate(stream).next()).rejects.toThrow("torn");
});
