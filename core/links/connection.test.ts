import { expect, test } from "vitest";
import { BonevalueError } from "../errors.ts";
import { assemblyOf, defaultLimits } from "../limits.ts";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import type { Channel, LinkEvents } from "../transport/transport.ts";
import { encode, type Packed, pack } from "../wire/codec.ts";
import { createFragmenter } from "../wire/fragments.ts";
import { type Frame, type Hello, Kind } from "../wire/frames.ts";
import { createConnection, type Service } from "./connection.ts";
import { createHello } from "./hello.ts";
import { createFakeLink } from "./testing/fake-link.ts";

const lost = new BonevalueError("disconnected", "Nothing arrives.");

/** A connection whose other side, and whose service, is the spec. */
function connect(service: Partial<Service> = {}) {
  const clock = createVirtualClock();
  const told: string[] = [];
  const heard: unknown[] = [];
  let events!: LinkEvents;
  const link = createFakeLink({
    listen(listener) {
      events = listener;
    },
  });
  const connection = createConnection({
    peer: "other",
    link,
    clock,
    hello: helloOf("self"),
    limits: defaultLimits,
    unusedTimeout: 1_000,
    idleTimeout: 30_000,
    serve: () => ({ isIdle: true, receive: (frame) => heard.push(frame[0]), end: () => {}, ...service }),
    onSignal: () => {},
    onRelease: () => told.push("released"),
    onIdle: () => {},
    onInterrupted: () => told.push("interrupted"),
    onRestored: () => told.push("restored"),
    onEnd: (reason) => told.push(`ended: ${reason?.code}`),
  });
  connection.listen();
  const hear = (channel: Channel, frame: Frame<Packed>) => events.message(channel, encode(frame));
  return {
    clock,
    connection,
    events,
    told,
    heard,
    greet() {
      for (const channel of ["control", "bulk"] as const) hear(channel, createHello(helloOf("other")));
    },
    hear,
  };
}

function helloOf(peer: string): Hello {
  return {
    peer,
    message: 65_536,
    value: defaultLimits.messageSize,
    calls: 1,
    streams: 1,
    window: 1,
    assembly: assemblyOf(defaultLimits),
  };
}

function tell(size: number): Frame<Packed> {
  const value = pack(new Uint8Array(size), { name: "request", code: "invalid-request", depth: 1, size: 100_000 });
  return [Kind.notify, 0, "cursor", value];
}

test("a connection that is over leaves no timer behind, whatever uses it once more because of its end", async () => {
  const { clock, connection, greet } = connect({ end: () => connection.keepOpen(30_000) });
  greet();
  connection.close(lost);
  await clock.advance(1_000);
  expect(clock.waiting).toBe(0);
});

test("a connection that is over tells nothing more of its link, which takes its leave", async () => {
  const { clock, events, told } = connect();
  await clock.advance(5_000);
  expect(told).toEqual(["ended: link-failed"]);
  events.interrupted(lost);
  events.restored();
  expect(told).toEqual(["ended: link-failed"]);
});

test("one-way messages of up to a kilobyte are read on lossy", () => {
  const { greet, hear, heard, told } = connect();
  greet();
  hear("lossy", tell(1_000));
  expect([heard, told]).toEqual([[Kind.notify], []]);
});

test("what comes on lossy before a hello is dropped", () => {
  const { greet, hear, heard, told } = connect();
  hear("lossy", tell(10));
  greet();
  expect([heard, told]).toEqual([[], []]);
});

test.each([
  ["a larger message", tell(2_000)],
  ["a call", [Kind.cancel, 1, "cancelled"]],
  ["a hello", createHello(helloOf("other"))],
] as [string, Frame<Packed>][])("the link ends by what has no place on lossy: %s", (_, frame) => {
  const { greet, hear, heard, told } = connect();
  greet();
  hear("lossy", frame);
  expect([heard, told]).toEqual([[], ["ended: protocol"]]);
});

test("the link ends by a part on lossy, which could be overtaken by the next", () => {
  const { greet, events, told } = connect();
  greet();
  const [head, bytes] = createFragmenter(encode(tell(200)), 1).next(100) as [Uint8Array, Uint8Array];
  events.message("lossy", new Uint8Array([...head, ...bytes]));
  expect(told).toEqual(["ended: protocol"]);
});
