import { expect, test, vi } from "vitest";
import { code, createLinkedPair } from "./testing/linked-pair.ts";

test("an answer with too many streams cancels them all, and aborts the handler's signal", async () => {
  const { ann, bob, until } = createLinkedPair({ limits: { streamsPerPeer: 1 } });
  const cancel = vi.fn();
  const source = () => new ReadableStream({ cancel }, { highWaterMark: 0 });
  let signal: AbortSignal | undefined;
  bob.module("Many", (exchange) => {
    signal = exchange.signal;
    return [source(), source()];
  });
  await expect(until(ann.call("Many").first())).rejects.toEqual(code("busy"));
  expect(cancel.mock.calls).toEqual([[code("busy")], [code("busy")]]);
  expect(signal?.reason).toEqual(code("busy"));
});
