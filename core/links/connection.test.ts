import { expect, test } from "vitest";
import { BonevalueError } from "../errors.ts";
import { defaultLimits } from "../limits.ts";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import type { Channel, LinkEvents, LinkIdentity } from "../transport/transport.ts";
import { decode, encode } from "../wire/codec.ts";
import { createFragmenter } from "../wire/fragments.ts";
import { CloseStep, type Frame, type Hello, Kind } from "../wire/frames.ts";
import { type Packed, pack } from "../wire/pack.ts";
import { createConnection, type Service } from "./connection.ts";
import { createHello, helloOf } from "./hello.ts";
import { createFakeLink } from "./testing/fake-link.ts";

const lost = new BonevalueError("disconnected", "Nothing arrives.");

/** A connection whose peer and service are the test. */
function connect(service: Partial<Service> = {}, identity: LinkIdentity = { verified: true }) {
  const clock = createVirtualClock();
  const reports: string[] = [];
  const frames: unknown[] = [];
  const signals: unknown[] = [];
  const sentSteps: number[] = [];
  const sentSignals: unknown[] = [];
  const sentHellos: unknown[] = [];
  const sentSizes: number[] = [];
  const idleAt: number[] = [];
  const ends: [code: string, agreed: boolean][] = [];
  const state = { isIdle: true };
  let events!: LinkEvents;
  const link = createFakeLink({
    listen(listener) {
      events = listener;
    },
    send(channel, message) {
      sentSizes.push(message.length);
      for (const frame of decode(message, { value: 1_000_000, depth: 4 })) {
        if (frame[0] === Kind.hello) sentHellos.push([channel, frame[2].identity]);
        if (channel !== "control") continue;
        if (frame[0] === Kind.close) sentSteps.push(frame[1]);
        if (frame[0] === Kind.signal) sentSignals.push(frame[2]);
      }
    },
  });
  const connection = createConnection({
    identity,
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
      end: ({ code }, agreed) => ends.push([code, agreed]),
      ...service,
    }),
    onSignal: (signal) => signals.push(signal),
    onRelease: () => reports.push("released"),
    onIdle: () => idleAt.push(clock.now()),
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
    sentHellos,
    sentSizes,
    idleAt,
    ends,
    state,
    sendHello(more: Partial<Hello> = {}) {
      for (const channel of ["control", "bulk"] as const)
        receive(channel, createHello({ ...helloOf("other", defaultLimits), ...more }));
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

test("the first frame on control and on bulk is a hello with the keys of the link", async () => {
  const { clock, sentHellos } = connect({}, { verified: true, hello: new Uint8Array([1, 2]) });
  await clock.advance(0);
  const keys = new Uint8Array([1, 2]);
  expect(sentHellos).toEqual([
    ["control", keys],
    ["bulk", keys],
  ]);
  const unsigned = connect();
  await unsigned.clock.advance(0);
  expect(unsigned.sentHellos).toEqual([
    ["control", undefined],
    ["bulk", undefined],
  ]);
});

test("no message is larger than the peer's hello allows, and bulk waits for it", async () => {
  const { clock, connection, sendHello, sentSizes } = connect();
  for (let count = 0; count < 4; count++) connection.scheduler.bulk(count, notify(20_000));
  await clock.advance(0);
  const before = sentSizes.length;
  sendHello({ message: 16_384 });
  connection.scheduler.send("control", notify(20_000));
  await clock.advance(0);
  expect(before).toBe(2);
  expect(sentSizes.length).toBeGreaterThan(before);
  expect(Math.max(...sentSizes)).toBeLessThanOrEqual(16_384);
});

test("a link is idle while nothing is open and nothing waits to be sent, and not once it is over", async () => {
  const { clock, connection, link, sendHello, receive, state, idleAt } = connect();
  sendHello();
  await clock.advance(100);
  idleAt.length = 0;
  state.isIdle = false;
  receive("control", notify(10));
  expect(idleAt).toEqual([]);
  state.isIdle = true;
  receive("control", notify(10));
  expect(idleAt).toEqual([clock.now()]);
  Object.assign(link, { buffered: 10_000_000 });
  connection.scheduler.bulk("a stream", notify(10));
  receive("control", notify(10));
  await clock.advance(0);
  expect(idleAt).toHaveLength(1);
  expect(connection.offerClose()).toBe(false);
  connection.close(lost);
  receive("control", notify(10));
  expect(idleAt).toHaveLength(1);
});

test("a link that both sides agree to close ends without a reason, and its service learns that nothing was on its way", async () => {
  const { clock, connection, link, sendHello, receive, reports, ends } = connect();
  sendHello();
  await clock.advance(100);
  expect(connection.offerClose()).toBe(true);
  for (const channel of ["control", "bulk"] as const) receive(channel, [Kind.close, CloseStep.accept]);
  expect([reports, ends]).toEqual([["ended: undefined"], [["disconnected", true]]]);
  expect(await link.closed).toBeUndefined();
});

test("an offer that the peer declines is reported, and one that it declines after 5 s more ends the link as busy", async () => {
  const { clock, connection, sendHello, receive, reports, sentSteps, ends } = connect();
  sendHello();
  await clock.advance(100);
  connection.offerClose();
  await clock.advance(0);
  receive("control", [Kind.close, CloseStep.decline]);
  expect([reports, connection.accepting]).toEqual([["released"], true]);
  await clock.advance(5_000);
  connection.offerClose();
  await clock.advance(0);
  sentSteps.length = 0;
  receive("control", [Kind.close, CloseStep.decline]);
  expect([reports, ends]).toEqual([["released", "ended: undefined"], [["disconnected", false]]]);
  expect(sentSteps).toEqual([CloseStep.offer]);
});

test("a link that this side ends sends the reason, accepts nothing more, and closes after a second", async () => {
  const { clock, connection, link, sendHello, sentSteps, reports, ends } = connect();
  sendHello();
  await clock.advance(100);
  let isClosed = false;
  link.closed.then(() => {
    isClosed = true;
  });
  sentSteps.length = 0;
  connection.close(lost);
  connection.close(new BonevalueError("cancelled", "Again."));
  expect(connection.accepting).toBe(false);
  expect([sentSteps, reports, ends]).toEqual([[CloseStep.offer], ["ended: disconnected"], [["disconnected", false]]]);
  await clock.advance(999);
  expect(isClosed).toBe(false);
  await clock.advance(1);
  expect(await link.closed).toBe(lost);
  expect(reports).toHaveLength(1);
});

test("a link that this side ends closes at once when the peer's last frame arrives, and with no other", async () => {
  const { clock, connection, link, sendHello, receive } = connect();
  sendHello();
  let isClosed = false;
  link.closed.then(() => {
    isClosed = true;
  });
  connection.close(lost);
  receive("control", [Kind.close, CloseStep.offer]);
  receive("control", [Kind.fail, 1, "cancelled", "Late."]);
  await clock.advance(0);
  expect(isClosed).toBe(false);
  receive("control", [Kind.close, CloseStep.offer, "cancelled"]);
  await clock.advance(0);
  expect([isClosed, clock.waiting]).toEqual([true, 0]);
});

test("a link that the peer ends closes with the peer's reason", async () => {
  const { link, sendHello, receive, ends } = connect();
  sendHello();
  receive("control", [Kind.close, CloseStep.offer, "protocol"]);
  expect(await link.closed).toMatchObject({ code: "disconnected", message: expect.stringContaining("protocol") });
  expect(ends).toEqual([["disconnected", false]]);
});

test.each([
  ["its own reason", new BonevalueError("link-failed", "The network is gone."), "link-failed"],
  ["no reason", undefined, "disconnected"],
])("a link that is lost with %s ends", async (_, reason, code) => {
  const { clock, link, sendHello, reports, ends } = connect();
  sendHello();
  link.close(reason);
  await clock.advance(0);
  expect([reports, ends]).toEqual([[`ended: ${code}`], [[code, false]]]);
});

test("an open link reports that nothing arrives, and that it works again", () => {
  const { events, sendHello, reports } = connect();
  sendHello();
  events.interrupted(lost);
  events.restored();
  expect(reports).toEqual(["interrupted", "restored"]);
});
