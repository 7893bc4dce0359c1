import * as v from "valibot";
import { describe, expect, test, vi } from "vitest";
import { Kind } from "../wire/frames.ts";
import { defineModule, type NamedHandlerContext } from "./module.ts";
import { all, code, createLinkedPair, type LinkedPair } from "./streams/testing/linked-pair.ts";

const packed = { bytes: Uint8Array.of(1), annotations: [], size: 1, hasAttachments: false };

/** Offers "Wait", whose handler never ends, and returns the contexts that it gets. */
function waiting({ bob }: LinkedPair): NamedHandlerContext[] {
  const contexts: NamedHandlerContext[] = [];
  bob.module("Wait", (context) => {
    contexts.push(context);
    return new Promise(() => {});
  });
  return contexts;
}

describe("a handler's signal", () => {
  test("that is read after the call was cancelled is aborted, and always the same", async () => {
    const pair = createLinkedPair();
    const contexts = waiting(pair);
    const call = pair.ann.call("Wait");
    await pair.clock.advance(10);
    call.cancel();
    await pair.clock.advance(10);
    const { signal } = contexts[0]!;
    expect(signal.reason).toEqual(code("cancelled"));
    expect(contexts[0]!.signal).toBe(signal);
  });

  test("aborts at the caller's deadline, although nothing arrives from the caller", async () => {
    const pair = createLinkedPair();
    const contexts = waiting(pair);
    pair.ann.scheduler.send("control", [Kind.call, 1, "Wait", packed, 500]);
    await pair.clock.advance(490);
    expect(contexts[0]!.signal.aborted).toBe(false);
    await pair.clock.advance(20);
    expect(contexts[0]!.signal.reason).toEqual(code("timeout"));
  });

  test("has no other code than `cancelled` when the caller sends one that only this side decides", async () => {
    const pair = createLinkedPair();
    const contexts = waiting(pair);
    pair.ann.scheduler.send("control", [Kind.call, 1, "Wait", packed, null]);
    pair.ann.scheduler.send("control", [Kind.cancel, 1, "forbidden"]);
    await pair.clock.advance(10);
    expect(contexts[0]!.signal.reason).toEqual(code("cancelled"));
  });

  test("aborts for a message when the link is lost", async () => {
    const pair = createLinkedPair();
    const contexts = waiting(pair);
    pair.ann.notify("Wait", 1);
    pair.ann.notify("Wait", 2);
    await pair.clock.advance(10);
    pair.cut();
    expect(contexts.map(({ signal }) => signal.reason)).toEqual([code("disconnected"), code("disconnected")]);
  });
});

test("what a handler throws after its call was cancelled is no `error` event", async () => {
  const { ann, bob, clock } = createLinkedPair();
  bob.module("Wait", async () => {
    await new Promise<void>((resolve) => void clock.after(100, resolve));
    throw new TypeError("The work was aborted.");
  });
  const call = ann.call("Wait");
  await clock.advance(10);
  call.cancel();
  await clock.advance(1_000);
  expect(bob.errors).toEqual([]);
});

test("requests behind a schema that takes time wait for it, but not for the handler", async () => {
  const { ann, bob, clock } = createLinkedPair();
  const handled: number[] = [];
  const checked = () => new Promise<boolean>((resolve) => void clock.after(100, () => resolve(true)));
  const Slow = defineModule("Slow", { request: v.pipeAsync(v.number(), v.checkAsync(checked)) });
  bob.module(Slow, ({ request }) => {
    handled.push(request);
    return new Promise(() => {});
  });
  for (const request of [1, 2]) ann.call(Slow, request);
  await clock.advance(150);
  expect(handled).toEqual([1]);
  await clock.advance(100);
  expect(handled).toEqual([1, 2]);
});

describe("a message", () => {
  test("whose handler throws cancels its streams", async () => {
    const { ann, bob, clock } = createLinkedPair();
    bob.module("Fail", () => {
      throw new TypeError("undefined is not a function");
    });
    const cancelled = vi.fn();
    ann.notify("Fail", new ReadableStream({ cancel: cancelled }));
    await clock.advance(100);
    expect(cancelled).toHaveBeenCalledOnce();
  });

  test("whose handler returns a stream cancels it", async () => {
    const { ann, bob, clock } = createLinkedPair();
    const cancelled = vi.fn();
    bob.module("Read", () => new ReadableStream({ cancel: cancelled }));
    ann.notify("Read", 1);
    await clock.advance(100);
    expect(cancelled).toHaveBeenCalledOnce();
  });

  test("holds the next one back for at most 30 s while its stream is read, and is counted once", async () => {
    const { ann, bob, clock } = createLinkedPair({ limits: { requestsPerPeer: 1 } });
    const handled = vi.fn();
    async function* seconds() {
      for (let second = 0; second < 40; second++) {
        await new Promise<void>((resolve) => void clock.after(1_000, resolve));
        yield second;
      }
    }
    bob.module("Watch", ({ request }) => all(request));
    bob.module("Save", handled);
    ann.notify("Watch", seconds());
    ann.notify("Save", 1);
    await clock.advance(29_000);
    expect(handled).not.toHaveBeenCalled();
    await clock.advance(2_000);
    expect(handled).toHaveBeenCalledOnce();
    await clock.advance(20_000);
    expect([ann.ended, bob.rpc.isIdle]).toEqual([undefined, true]);
  });
});
