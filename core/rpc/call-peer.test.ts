import { describe, expect, test } from "vitest";
import { BonevalueError } from "../errors.ts";
import { defaultLimits } from "../limits.ts";
import type { Connection } from "../links/connection.ts";
import type { Pool } from "../links/pool.ts";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { pack } from "../wire/codec.ts";
import { callPeer } from "./call-peer.ts";
import type { OutgoingCall } from "./caller.ts";
import { createDeadlines } from "./deadlines.ts";
import { defineModule } from "./module.ts";
import type { Outcome } from "./replies.ts";
import type { Rpc } from "./rpc.ts";

/** A call without a deadline over an open link, whose other side is the spec. */
function asked(): { readonly call: OutgoingCall; readonly outcomes: readonly Outcome[] } {
  const clock = createVirtualClock();
  const outcomes: Outcome[] = [];
  let call!: OutgoingCall;
  const service = {
    call(made: OutgoingCall) {
      call = made;
      return { isOpen: () => false, end: () => {} };
    },
  };
  const connection = { service, keepOpen: () => {} } as unknown as Connection<Rpc>;
  const pool = {
    whenOpen(_, waiting) {
      waiting.begin(connection);
      return () => {};
    },
  } as Pool<Rpc>;
  callPeer(
    {
      pool,
      deadlines: createDeadlines(clock),
      limits: defaultLimits,
      now: clock.now,
      keepOpenMs: () => 0,
      refusal: () => undefined,
      noPeersError: () => new BonevalueError("no-peers", "Nobody."),
    },
    {
      peer: { id: "b0b", name: "Bob" },
      module: defineModule("Any"),
      payload: { packed: pack(1, { name: "request", code: "invalid-request", depth: 1, size: 10 }), streams: [] },
      timeout: Number.POSITIVE_INFINITY,
      keepAlive: undefined,
      onProgress: undefined,
      settle: (outcome) => outcomes.push(outcome),
      rested: () => {},
    },
  );
  return { call, outcomes };
}

describe("a call whose reply is malformed ends, and so does the link,", () => {
  const malformed = { plain: 1, annotations: [[["nowhere"], "Date"]], size: 10 };
  const broken = expect.objectContaining({ code: "protocol" });

  test("for an answer", () => {
    const { call, outcomes } = asked();
    expect(() => call.answered(malformed, () => undefined)).toThrow(broken);
    expect(outcomes).toEqual([{ error: broken }]);
  });

  test("for a failure's data", () => {
    const { call, outcomes } = asked();
    expect(() => call.failed(new BonevalueError("busy", "Later."), malformed)).toThrow(broken);
    expect(outcomes).toEqual([{ error: broken }]);
  });
});
