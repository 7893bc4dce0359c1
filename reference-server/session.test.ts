import { expect, test } from "vitest";
import { fc, runs } from "../tools/property.ts";
import { Refusal } from "./refusal.ts";
import { type Phase, step } from "./session.ts";

const sizes = { firstFrameSize: 4_096, frameSize: 65_536 };
const take = (phase: Phase, frame: unknown) => step(phase, Buffer.from(JSON.stringify(frame)), false, sizes);

test("the first frame signs in", () => {
  const data = { version: 1, session: "s" };
  expect(take("new", { type: "authenticate", data })).toEqual({
    do: "signIn",
    proof: { type: "authenticate", data, id: undefined },
  });
});

test.each(["ping", "peerRequest", "claimToken"])("%s is no first frame", (type) => {
  expect(() => take("new", { type, data: { to: "x", signal: 1, name: "n", token: "t" } })).toThrow(Refusal);
});

test("later frames are mapped to actions", () => {
  expect(take("online", { type: "ping" })).toEqual({ do: "pong" });
  expect(take("online", { type: "pong", data: {} })).toEqual({ do: "nothing" });
  expect(take("online", { type: "bye" })).toEqual({ do: "leave", back: false });
  expect(take("online", { type: "bye", data: { back: true } })).toEqual({ do: "leave", back: true });
  expect(take("online", { type: "removeUser", data: { name: "x", more: 1 }, id: 3 })).toEqual({
    do: "answer",
    request: { type: "removeUser", data: { name: "x" }, id: 3 },
  });
});

test("a signal passes unchanged, whatever it contains", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (signal) => {
      const next = take("online", { type: "peerRequest", data: { to: "x", signal } });
      expect(next).toMatchObject({ do: "relay" });
      if (next.do === "relay") expect(JSON.stringify(next.relay.data.signal)).toBe(JSON.stringify(signal));
    }),
  );
});

test("every input is an action or a refusal that closes the socket", () => {
  const valid = fc.constantFrom(
    '{"type":"authenticate","data":{"version":1,"username":"ann","password":"x"}}',
    '{"type":"peerRequest","data":{"to":"x","signal":{}},"id":1}',
    '{"type":"claimToken","data":{"name":"x","token":"t"},"id":1}',
    '{"type":"bye","data":{"back":true}}',
  );
  const mutated = fc
    .tuple(valid, fc.nat(80), fc.nat(3), fc.string())
    .map(([text, at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut));
  const typed = fc.record({
    type: fc.constantFrom("authenticate", "bye", "__proto__", "constructor"),
    data: fc.jsonValue(),
    id: fc.jsonValue(),
  });
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 5_000 }).map((random) => Buffer.from(random)),
    fc
      .oneof(
        mutated,
        fc.json(),
        typed.map((frame) => JSON.stringify(frame)),
      )
      .map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(fc.constantFrom<Phase>("new", "online"), bytes, fc.boolean(), (phase, frame, binary) => {
      try {
        expect(step(phase, frame, binary, sizes)).toHaveProperty("do");
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        expect([1008, 1009]).toContain(error.close);
      }
    }),
    { numRuns: runs(3_000) },
  );
});
