import { describe, expect, test } from "vitest";
import { Kind } from "../wire/frames.ts";
import { code, createLinkedPair } from "./streams/testing/linked-pair.ts";

describe("a call whose reply is malformed fails, and so does its link,", () => {
  const malformed = { plain: 1, annotations: [[["nowhere"], "Date"]], size: 10 };

  test("for an answer", async () => {
    const { ann } = createLinkedPair();
    const reply = ann.call("Any").first();
    expect(() => ann.rpc.receive([Kind.answer, 1, malformed], "control")).toThrow(code("protocol"));
    await expect(reply).rejects.toEqual(code("protocol"));
  });

  test("for a failure's data", async () => {
    const { ann } = createLinkedPair();
    const reply = ann.call("Any").first();
    expect(() => ann.rpc.receive([Kind.fail, 1, "busy", "Later.", malformed], "control")).toThrow(code("protocol"));
    await expect(reply).rejects.toEqual(code("protocol"));
  });
});

describe("a call's request", () => {
  test("that was taken back before it left is never sent", async () => {
    const { ann, bob, clock } = createLinkedPair();
    const handled: unknown[] = [];
    bob.module("Any", ({ request }) => void handled.push(request.length));
    const large = ann.call("Any", "x".repeat(100_000));
    large.cancel();
    await clock.advance(100);
    expect([handled, ann.rpc.isIdle, bob.rpc.isIdle]).toEqual([[], true, true]);
    expect(await large.all()).toMatchObject([{ error: { code: "cancelled" } }]);
  });

  test("that has left is cancelled at the handler, and its answer is dropped", async () => {
    const { ann, bob, clock } = createLinkedPair();
    const reasons: unknown[] = [];
    bob.module("Any", async ({ signal }) => {
      signal.addEventListener("abort", () => reasons.push(signal.reason.code));
      await new Promise<void>((resolve) => void clock.after(50, resolve));
      return "late";
    });
    for (const request of ["small", "x".repeat(100_000)]) {
      const call = ann.call("Any", request);
      await clock.advance(20);
      call.cancel();
      expect(await call.all()).toMatchObject([{ error: { code: "cancelled" } }]);
      await clock.advance(100);
    }
    expect([reasons, ann.rpc.isIdle, bob.rpc.isIdle]).toEqual([["cancelled", "cancelled"], true, true]);
  });
});
