import { expect, test } from "vitest";
import { BonevalueError } from "../errors.ts";
import { defaultLimits } from "../limits.ts";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import type { Channel, LinkEvents } from "../transport/transport.ts";
import { decode, encode } from "../wire/codec.ts";
import { createFragmenter } from "../wire/fragments.ts";
import { CloseStep, type Frame, Kind } from "../wire/frames.ts";
import { type Packed, pack } from "../wire/pack.ts";
import { createConnection, type Service } from "./connection.ts";
import { createHello, helloOf } from "./hello.ts";
import { createFakeLink } from "./testing/fake-link.ts";

const lost = new BonevalueError("disconnected", "Nothing arrives.");

/** A connection whose peer and service are the test. */
function connect(service: Partial<Service> = {}) {
  const clock = createVirtualClock();
  const reports: string[] = [];
  const frames: unknown[] = [];
  const signals: unknown[] = [];
  const sentSteps: number[] = [];
  const sentSignals: unknown[] = [];
  const state = { isIdle: true };
  let events!: LinkEvents;
  const link = createFakeLink({
    listen(listener) {
      events = listener;
    },
    send(channel, message) {
      for (const frame of channel === "control" ? decode(message, { value: 1_000, depth: 4 }) : []) {
        if (frame[0] === Kind.close) sentSteps.push(frame[1]);
        if (frame[0] === Kind.signal) sentSignals.push(frame[2]);
      }
    },
  });
  const connection = createConnection({
    identity: { verified: true },
    peer: "other",
    link,
    clock,
    hello: helloOf("self", defaultLimits),
    limits: defaultLimits,
    unusedTimeout: 1_000,
    idleTimeout: 30_000,
    serve: () => ({
      get isIdle() {
        return state.isIdle;
      },
      receive: (frame) => frames.push(frame[0]),
      end: () => {},
      ...service,
    }),
    onSignal: (signal) => signals.push(signal),
    onRelease: () => reports.push("released"),
    onIdle: () => {},
    onInterrupted: () => reports.push("interrupted"),
    onRestored: () => reports.push("restored"),
    onEnd: (reason) => reports.push(`ended: ${reason?.code}`),
  });
  connection.listen();
  const receive = (channel: Channel, frame: Frame<Packed>) => events.message(channel, encode(frame));
  return {
    clock,
    connection,
    link,
    events,
    reports,
    frames,
    signals,
    sentSteps,
    sentSignals,
    state,
    sendHello() {
      for (const channel of ["control", "bulk"] as const)
        receive(channel, createHello(helloOf("other", defaultLimits)));
    },
    receive,
  };
}

function notify(size: number): Frame<Packed> {
  const value = pack(new Uint8Array(size), { name: "request", code: "invalid-request", depth: 1, size: 100_000 });
  return [Kind.notify, 0, "cursor", value];
}

test("a connection that is over leaves no timer behind, even if its service uses it as it ends", async () => {
  const { clock, connection, sendHello } = connect({ end: () => connection.keepOpen(30_000) });
  sendHello();
  connection.close(lost);
  await clock.advance(1_000);
  expect(clock.waiting).toBe(0);
});

test("a connection that is over reports nothing more about its link", async () => {
  const { clock, events, reports } = connect();
  await clock.advance(5_000);
  expect(reports).toEqual(["ended: link-failed"]);
  events.interrupted(lost);
  events.restored();
  expect(reports).toEqual(["ended: link-failed"]);
});

test("one-way messages of up to a kilobyte are read on lossy", () => {
  const { sendHello, receive, frames, reports } = connect();
  sendHello();
  receive("lossy", notify(1_000));
  expect([frames, reports]).toEqual([[Kind.notify], []]);
});

test("the service opens once, with the first of the peer's two hellos", () => {
  let opened = 0;
  const { receive } = connect({ opened: () => opened++ });
  receive("bulk", createHello(helloOf("other", defaultLimits)));
  expect(opened).toBe(1);
  receive("control", createHello(helloOf("other", defaultLimits)));
  expect(opened).toBe(1);
});

test("frames on lossy before the hello are dropped", () => {
  const { sendHello, receive, frames, reports } = connect();
  receive("lossy", notify(10));
  sendHello();
  expect([frames, reports]).toEqual([[], []]);
});

test.each([
  ["a larger message", notify(2_000)],
  ["a call", [Kind.cancel, 1, "cancelled"]],
  ["a hello", createHello(helloOf("other", defaultLimits))],
] as [string, Frame<Packed>][])("a frame that is not allowed on lossy ends the link: %s", (_, frame) => {
  const { sendHello, receive, frames, reports } = connect();
  sendHello();
  receive("lossy", frame);
  expect([frames, reports]).toEqual([[], ["ended: protocol"]]);
});

test("a part on lossy ends the link, since parts must keep their order", () => {
  const { sendHello, events, reports } = connect();
  sendHello();
  const [head, bytes] = createFragmenter(encode(notify(200)), 1).next(100) as [Uint8Array, Uint8Array];
  events.message("lossy", new Uint8Array([...head, ...bytes]));
  expect(reports).toEqual(["ended: protocol"]);
});

test("frames that arrive after the end are ignored and leave no timer", async () => {
  const { clock, connection, sendHello, receive, frames, signals } = connect();
  sendHello();
  connection.close(lost);
  await clock.advance(1_000);
  receive("control", notify(10));
  receive("control", [Kind.signal, 0, {}]);
  expect([frames, signals, clock.waiting]).toEqual([[], [], 0]);
});

test("a signal is passed on, and is no use of the link; a frame of the service is", async () => {
  const { clock, connection, sendHello, receive, frames, signals } = connect();
  sendHello();
  const opened = clock.now();
  await clock.advance(500);
  receive("control", [Kind.signal, 0, { attempt: 1 }]);
  expect([signals, frames, connection.lastUse]).toEqual([[{ attempt: 1 }], [], opened]);
  receive("control", notify(10));
  expect([frames, connection.lastUse]).toEqual([[Kind.notify], opened + 500]);
});

test("a link is offered when the last use of its peer is over, however long that took", async () => {
  const { clock, sendHello, receive, sentSteps, state } = connect();
  sendHello();
  state.isIdle = false;
  await clock.advance(60_000);
  expect(sentSteps).toEqual([]);
  state.isIdle = true;
  receive("control", notify(10));
  await clock.advance(0);
  expect(sentSteps).toEqual([CloseStep.offer]);
});

test.each([
  ["protocol", true, "disconnected"],
  ["busy", true, undefined],
  ["busy", false, "disconnected"],
])("a close with %s ends a link that is idle (%s) with %s", async (code, isIdle, reason) => {
  const { clock, sendHello, receive, reports, state } = connect();
  sendHello();
  await clock.advance(0);
  state.isIdle = isIdle;
  receive("control", [Kind.close, CloseStep.offer, code]);
  expect(reports).toEqual([`ended: ${reason}`]);
});

test.each([
  ["after we have agreed to close it was closed by agreement", true, undefined],
  ["before that was lost", false, "disconnected"],
])("a link that ends %s", async (_, agrees, reason) => {
  const { clock, link, sendHello, receive, reports, sentSteps } = connect();
  sendHello();
  // Until our own use of the link is over.
  await clock.advance(500);
  for (const channel of agrees ? (["control", "bulk"] as const) : []) receive(channel, [Kind.close, CloseStep.offer]);
  await clock.advance(0);
  expect(sentSteps).toEqual(agrees ? [CloseStep.accept] : []);
  link.close(lost);
  await clock.advance(0);
  expect(reports).toEqual([`ended: ${reason}`]);
});

test("a link that ends before the hello leaves no timer", async () => {
  const { clock, connection } = connect();
  connection.close(lost);
  await clock.advance(1_000);
  expect(clock.waiting).toBe(0);
});

test("our own use counts as the last use", async () => {
  const { clock, connection } = connect();
  await clock.advance(500);
  connection.keepOpen(1_000);
  expect(connection.lastUse).toBe(clock.now());
});

test("a signal is sent on the link until it is being closed", async () => {
  const { clock, connection, sendHello, sentSignals } = connect();
  sendHello();
  expect(connection.signal({ attempt: 1, round: 1 })).toBe(true);
  await clock.advance(0);
  expect(sentSignals).toEqual([{ attempt: 1, round: 1 }]);
  connection.offerClose();
  expect(connection.signal({ attempt: 1, round: 2 })).toBe(false);
  await clock.advance(0);
  expect(sentSignals).toHaveLength(1);
});

test.each([
  [new TypeError("a fault"), "protocol"],
  [new BonevalueError("unsupported", "No such array."), "unsupported"],
])("a frame that the service cannot read ends the link with a code: %s", (error, code) => {
  const { sendHello, receive, reports } = connect({
    receive() {
      throw error;
    },
  });
  sendHello();
  receive("control", notify(10));
  expect(reports).toEqual([`ended: ${code}`]);
});
