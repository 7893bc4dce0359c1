import * as v from "valibot";
import { expect, test, vi } from "vitest";
import type { BonevalueError } from "../errors.ts";
import { defaultLimits } from "../limits.ts";
import type { Connection } from "../links/connection.ts";
import { createRegistry } from "../peers/registry.ts";
import type { Live } from "../reactive.ts";
import { createDeadlines } from "../rpc/deadlines.ts";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { encode, type Received } from "../wire/codec.ts";
import { createFrameReader } from "../wire/frame-reader.ts";
import { type Frame, features, type Hello, Kind, PresenceStep } from "../wire/frames.ts";
import { type Packed, pack } from "../wire/pack.ts";
import type { Writable } from "../wire/send-scheduler.ts";
import { definePresence, type PeerPresence, type PresenceDefinition } from "./definition.ts";
import { createPresence } from "./presence.ts";
import { servePresence } from "./serve-presence.ts";

const Cursor = definePresence("Cursor");
const { subscribe, stop, value, ack } = PresenceStep;

const protocol = expect.objectContaining({ code: "protocol" });

function received(content: unknown): Received {
  const { size } = pack(content, { name: "value", code: "invalid-request", depth: 64, size: 1_000_000 });
  return { plain: content, annotations: undefined, size };
}

/** A client that has one link, to a peer whose frames the test makes. */
function createPage({ hello = { features, value: defaultLimits.messageSize } as Partial<Hello> } = {}) {
  const clock = createVirtualClock();
  const errors: BonevalueError[] = [];
  const waiting: Writable[] = [];
  let isBlocked = false;
  const sent: { readonly channel: string; readonly frame: Frame<Packed> }[] = [];
  const requests: { begin(connection: Connection<any>): void; fail(error: BonevalueError): void }[] = [];
  const withdraw = vi.fn();
  const registry = createRegistry();
  const presence = createPresence({
    clock,
    deadlines: createDeadlines(clock),
    limits: defaultLimits,
    maxLinks: 64,
    pool: {
      whenOpen(_, request) {
        requests.push(request);
        return withdraw;
      },
    },
    self: () => "self",
    keepOpenMs: () => 30_000,
    isAllowed: () => true,
    failed: (error) => errors.push(error),
  });

  function connect() {
    const [close, keepOpen] = [vi.fn(), vi.fn()];
    const connection = {
      peer: "eve",
      remote: hello,
      scheduler: {
        send(channel: string, frame: Writable) {
          if (isBlocked) waiting.push(frame);
          else sent.push({ channel, frame: typeof frame === "function" ? frame()! : frame });
        },
      },
      keepOpen,
      close,
    } as unknown as Connection<any>;
    const service = servePresence(presence, connection);
    const receive = (...[step, name, version, content, channel = "control"]: ReceiveArgs) =>
      service.receive([Kind.presence, step, name, version, content] as never, channel as "control");
    return { connection, service, receive, close, keepOpen };
  }

  return {
    clock,
    errors,
    sent,
    waiting,
    /** From now on the channels take nothing. */
    block() {
      isBlocked = true;
    },
    requests,
    withdraw,
    connect,
    frames: () => sent.map(({ frame }) => frame.slice(1, 4)),
    offer: (definition: typeof Cursor, initial: unknown) =>
      presence.engineOf(definition).offer(definition, initial, {}),
    watch(definition: PresenceDefinition): Live<readonly PeerPresence<any>[]> {
      registry.addPeer({ id: "eve", name: "Eve" }, "Eve");
      return presence.engineOf(definition).watch(definition, "*", registry.watch("*"));
    },
  };
}

type ReceiveArgs = [step: number, name: string, version?: number, content?: Received, channel?: string];

/** A page that subscribes to the cursor of the peer. */
async function createSubscriber(definition: PresenceDefinition = Cursor) {
  const page = createPage();
  const live = page.watch(definition);
  const unsubscribe = live.subscribe(() => {});
  await page.clock.advance(1);
  const peer = page.connect();
  page.requests[0]!.begin(peer.connection);
  peer.service.opened?.();
  page.sent.length = 0;
  return { ...page, ...peer, live, unsubscribe };
}

test("a peer that subscribes and never acknowledges gets 32 KiB on control, however often values change", async () => {
  const { clock, connect, offer, sent } = createPage();
  const names = Array.from({ length: 20 }, (_, n) => definePresence(`n${n}`));
  const offers = names.map((name) => offer(name, "x".repeat(4_000)));
  const { receive } = connect();
  for (const { name } of names) receive(subscribe, name);
  for (let n = 0; n < 600; n++) {
    for (const [index, mine] of offers.entries()) mine.set(String(n).repeat(index % 2 === 0 ? 4_000 : 100));
    await clock.advance(50);
  }
  const bytes = sent
    .filter(({ channel }) => channel === "control")
    .reduce((sum, { frame }) => sum + ((frame[4] as Packed | undefined)?.size ?? 0), 0);
  expect(bytes).toBeGreaterThan(8 * 1_024);
  expect(bytes).toBeLessThanOrEqual(32 * 1_024);
});

test("a peer that subscribes again and again gets no value on control that it has not acknowledged", async () => {
  const { clock, connect, offer, sent } = createPage();
  offer(Cursor, "x".repeat(10_000));
  const { receive } = connect();
  for (let n = 0; n < 1_000; n++) {
    receive(subscribe, "Cursor");
    receive(subscribe, "Cursor");
    receive(stop, "Cursor");
  }
  receive(subscribe, "Cursor");
  await clock.advance(1_000);
  expect(sent).toHaveLength(1);
  receive(ack, "Cursor", 1);
  expect(sent).toHaveLength(2);
});

test("values wait while 32 KiB are unacknowledged, and follow one by one", () => {
  const { connect, offer, frames } = createPage();
  for (const name of ["a", "b", "c"]) offer(definePresence(name), name.repeat(16_000));
  const { receive } = connect();
  for (const name of ["a", "b", "c"]) receive(subscribe, name);
  expect(frames().map(([, name]) => name)).toEqual(["a", "b"]);
  receive(ack, "b", 2);
  expect(frames().map(([, name]) => name)).toEqual(["a", "b", "c"]);
});

test("values are sent every 16 ms, or every 0.55 ms for each subscriber", async () => {
  for (const [subscribers, interval] of [
    [1, 16],
    [29, 16],
    [100, 55],
  ] as const) {
    const { clock, connect, offer, sent } = createPage();
    const mine = offer(Cursor, 0);
    for (let n = 0; n < subscribers; n++) connect().receive(subscribe, "Cursor");
    for (let n = 1; n <= 1_100; n++) {
      mine.set(n);
      await clock.advance(1);
    }
    const rounds = sent.filter(({ channel }) => channel === "lossy").length / subscribers;
    expect(Math.abs(rounds - 1_100 / interval), String(subscribers)).toBeLessThan(2);
  }
});

test("a peer subscribes to at most 128 names of 128 characters", () => {
  const { connect } = createPage();
  const { receive } = connect();
  for (let n = 0; n < 128; n++) receive(subscribe, `n${n}`);
  receive(subscribe, "n0");
  expect(() => receive(subscribe, "one more")).toThrow(protocol);
  receive(stop, "n0");
  receive(stop, "never subscribed");
  receive(subscribe, "x".repeat(128));
  const other = createPage().connect();
  expect(() => other.receive(subscribe, "x".repeat(129))).toThrow(protocol);
});

test("a value or an acknowledgement that nothing has asked for ends the link", async () => {
  const idle = createPage().connect();
  expect(() => idle.receive(value, "Cursor", 1, received(1))).toThrow(protocol);
  expect(() => idle.receive(ack, "Cursor", 1)).toThrow(protocol);
  const { receive } = await createSubscriber();
  expect(() => receive(value, "Other", 1, received(1))).toThrow(protocol);
  expect(() => receive(value, "Cursor", undefined, received(1))).toThrow(protocol);
  const offering = createPage();
  offering.offer(Cursor, 1);
  const peer = offering.connect();
  peer.receive(subscribe, "Cursor");
  expect(() => peer.receive(ack, "Cursor", 2)).toThrow(protocol);
  peer.receive(ack, "Cursor", 1);
  expect(() => peer.receive(ack, "Cursor", 1)).toThrow(protocol);
});

test("only values may arrive on lossy", async () => {
  const { receive } = await createSubscriber();
  receive(value, "Cursor", 1, received(1), "lossy");
  for (const step of [subscribe, stop, ack])
    expect(() => receive(step, "Cursor", 1, undefined, "lossy")).toThrow(protocol);
});

test("a value of more than 16 KiB ends the link before it is decoded", () => {
  const read = createFrameReader(createVirtualClock(), defaultLimits);
  const frame = (size: number) => {
    const packed = pack("x".repeat(size - 3), { name: "value", code: "too-large", depth: 1, size });
    return encode([Kind.presence, value, "Cursor", 1, packed]);
  };
  expect(read("control", frame(16 * 1_024))).toHaveLength(1);
  expect(() => read("control", frame(16 * 1_024 + 1))).toThrow(protocol);
});

test("a peer whose hello allows only small values gets no larger ones", async () => {
  const { clock, connect, offer, sent } = createPage({ hello: { features, value: 100 } });
  const mine = offer(Cursor, "x".repeat(200));
  connect().receive(subscribe, "Cursor");
  expect(sent).toEqual([]);
  mine.set("small");
  await clock.advance(100);
  mine.set("y".repeat(200));
  await clock.advance(100);
  expect(sent.map(({ frame }) => (frame[4] as Packed).size)).toEqual([6, 6]);
});

test("a malformed value ends the link, and is not told to `error`", async () => {
  const { receive, close, clock, errors } = await createSubscriber();
  receive(value, "Cursor", 1, { plain: 1, annotations: [["no path", "Date"]], size: 10 });
  await clock.advance(10);
  expect(close).toHaveBeenCalledExactlyOnceWith(protocol);
  expect(errors).toEqual([]);
});

test("older and repeated versions are ignored, and each value on control is acknowledged", async () => {
  const { receive, clock, live, frames } = await createSubscriber();
  receive(value, "Cursor", 5, received("new"), "lossy");
  receive(value, "Cursor", 4, received("old"), "lossy");
  receive(value, "Cursor", 5, received("new"));
  receive(value, "Cursor", 3, received("older"));
  await clock.advance(10);
  expect(live.peek()).toMatchObject([{ value: "new" }]);
  expect(frames()).toEqual([
    [ack, "Cursor", 5],
    [ack, "Cursor", 3],
  ]);
});

test("a value that was overtaken by its withdrawal stays withdrawn", async () => {
  const { receive, clock, live } = await createSubscriber();
  receive(value, "Cursor", 1, received(1));
  receive(value, "Cursor", 3);
  receive(value, "Cursor", 2, received(2), "lossy");
  await clock.advance(10);
  expect(live.peek()).toEqual([]);
});

test("a value that crosses the end of the subscription is shown only when it is sent again", async () => {
  const { receive, clock, live, unsubscribe, requests, connection } = await createSubscriber();
  unsubscribe();
  await clock.advance(10);
  receive(value, "Cursor", 5, received(5), "lossy");
  live.subscribe(() => {});
  await clock.advance(10);
  requests.at(-1)!.begin(connection);
  await clock.advance(10);
  expect(live.peek()).toEqual([]);
  receive(value, "Cursor", 5, received(5));
  await clock.advance(10);
  expect(live.peek()).toMatchObject([{ value: 5 }]);
});

test("a subscription to a name that was withdrawn is told so if a value may be on its way", () => {
  const { connect, offer, frames } = createPage();
  const mine = offer(Cursor, 1);
  const { receive } = connect();
  receive(subscribe, "Cursor");
  receive(stop, "Cursor");
  mine.stop();
  receive(subscribe, "Cursor");
  receive(subscribe, "never offered");
  expect(frames()).toEqual([
    [value, "Cursor", 1],
    [value, "Cursor", 2],
  ]);
});

test("a peer that subscribes or sends in a loop, and does not read, makes one frame wait for each name", async () => {
  const { receive, offer, block, waiting } = await createSubscriber();
  const mine = offer(definePresence("Mine"), 1);
  receive(subscribe, "Mine");
  mine.stop();
  block();
  for (let n = 1; n <= 1_000; n++) {
    receive(value, "Cursor", n, received(n));
    receive(stop, "Mine");
    receive(subscribe, "Mine");
  }
  expect(waiting.map((frame) => typeof frame === "function" && frame())).toEqual([
    [Kind.presence, ack, "Cursor", 1_000],
    [Kind.presence, value, "Mine", 3],
  ]);
});

test("invalid values are told to `error` once a second, with their number", async () => {
  const { receive, clock, errors } = await createSubscriber(definePresence("Cursor", v.string()));
  for (let n = 1; n <= 100; n++) {
    receive(value, "Cursor", n, received(n), "lossy");
    await clock.advance(10);
  }
  await clock.advance(200);
  expect(errors).toHaveLength(2);
  expect(errors[1]!.message).toMatch(/^Skipped 9\d values of "Cursor" from the peer eve: /);
});

test("a peer that does not name the feature is never sent a presence frame, and its link counts as unused", async () => {
  const { connect, watch, requests, offer, sent, clock } = createPage({ hello: { features: ["delivery"] } });
  watch(Cursor).subscribe(() => {});
  offer(definePresence("Other"), 1);
  await clock.advance(1);
  const { connection, service } = connect();
  requests[0]!.begin(connection);
  service.opened?.();
  expect(service.isIdle).toBe(true);
  service.end({} as BonevalueError, true);
  await clock.advance(60_000);
  expect(sent).toEqual([]);
  expect(requests).toHaveLength(1);
});

test("a peer is dialed again at once, after 1, 2, 4, and at most 30 s, until a link has lasted for 10 s", async () => {
  const { connect, watch, requests, clock } = createPage();
  const times: number[] = [];
  watch(Cursor).subscribe(() => {});
  await clock.advance(1);
  const error = {} as BonevalueError;
  for (let n = 0; n < 8; n++) {
    const { length } = requests;
    const from = clock.now();
    requests.at(-1)!.fail(error);
    while (requests.length === length) await clock.advance(500);
    times.push(clock.now() - from);
  }
  expect(times).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  const { connection, service } = connect();
  requests.at(-1)!.begin(connection);
  service.opened?.();
  await clock.advance(10_000);
  const { length } = requests;
  service.end(error, false);
  await clock.advance(0);
  expect(requests).toHaveLength(length + 1);
  for (const wait of [1_000, 2_000]) {
    const short = connect();
    requests.at(-1)!.begin(short.connection);
    await clock.advance(9_999);
    short.service.end(error, false);
    await clock.advance(wait - 1);
    const before = requests.length;
    await clock.advance(1);
    expect(requests).toHaveLength(before + 1);
  }
});

test("a peer that dials while it waits to be redialed is subscribed to at once, and not redialed", async () => {
  const { connect, watch, requests, clock, sent, frames } = createPage();
  watch(Cursor).subscribe(() => {});
  await clock.advance(1);
  const error = {} as BonevalueError;
  const earlier = connect();
  requests[0]!.begin(earlier.connection);
  earlier.service.end(error, false);
  await clock.advance(0);
  requests[1]!.fail(error);
  sent.length = 0;
  const { connection, service } = connect();
  service.opened?.();
  requests.at(-1)!.begin(connection);
  expect(frames()).toEqual([[subscribe, "Cursor"]]);
  await clock.advance(60_000);
  expect(requests).toHaveLength(3);
});

test("each value is removed 10 s after it became stale, although its peer was linked in between", async () => {
  const { connect, watch, requests, clock } = createPage();
  const definitions = [Cursor, definePresence("Selection")];
  const lists = definitions.map(watch);
  for (const list of lists) list.subscribe(() => {});
  await clock.advance(1);
  async function linkFor(ms: number, names: readonly string[]): Promise<void> {
    const { connection, service, receive } = connect();
    requests.at(-1)!.begin(connection);
    service.opened?.();
    for (const name of names) receive(value, name, 1, received(name));
    await clock.advance(ms);
    service.end({} as BonevalueError, false);
    await clock.advance(0);
  }
  const shown = () => lists.map((list) => list.peek().map(({ stale }) => stale));
  await linkFor(100, ["Cursor", "Selection"]);
  await linkFor(5_000, ["Cursor"]);
  await clock.advance(4_900);
  expect(shown()).toEqual([[true], [true]]);
  await clock.advance(200);
  expect(shown()).toEqual([[true], []]);
  await clock.advance(4_700);
  expect(shown()).toEqual([[true], []]);
  await clock.advance(200);
  expect(shown()).toEqual([[], []]);
});

test("the end of a subscription withdraws its request for a link, or its wait for the next one", async () => {
  const { watch, requests, withdraw, clock } = createPage();
  const stop = watch(Cursor).subscribe(() => {});
  await clock.advance(1);
  stop();
  await clock.advance(10);
  expect(withdraw).toHaveBeenCalledOnce();
  const stopAgain = watch(Cursor).subscribe(() => {});
  await clock.advance(10);
  for (const attempt of [1, 2]) {
    requests[attempt]!.fail({} as BonevalueError);
    await clock.advance(0);
  }
  stopAgain();
  await clock.advance(10);
  expect(clock.waiting).toBe(0);
  expect(requests).toHaveLength(3);
});

test("a subscription keeps its link open when it begins, and for a while after it ends", async () => {
  const { keepOpen, unsubscribe, clock } = await createSubscriber();
  expect(keepOpen.mock.calls).toEqual([[30_000]]);
  unsubscribe();
  await clock.advance(10);
  expect(keepOpen.mock.calls).toEqual([[30_000], [30_000]]);
});

test("another name is subscribed to on the same link, and each is stopped on its own", async () => {
  const { watch, frames, unsubscribe, clock } = await createSubscriber();
  const undo = watch(definePresence("Selection")).subscribe(() => {});
  await clock.advance(10);
  unsubscribe();
  await clock.advance(10);
  undo();
  await clock.advance(10);
  expect(frames()).toEqual([
    [subscribe, "Selection"],
    [stop, "Cursor"],
    [stop, "Selection"],
  ]);
});

test("a view that subscribes again shows no value from before", async () => {
  const { connection, requests, receive, live, unsubscribe, clock } = await createSubscriber();
  receive(value, "Cursor", 1, received("old"));
  await clock.advance(10);
  expect(live.peek()).toMatchObject([{ value: "old" }]);
  unsubscribe();
  await clock.advance(10);
  live.subscribe(() => {});
  await clock.advance(10);
  requests.at(-1)!.begin(connection);
  expect(live.peek()).toEqual([]);
  receive(value, "Cursor", 2, received("new"));
  await clock.advance(10);
  expect(live.peek()).toMatchObject([{ value: "new" }]);
});

test("a value that this runtime cannot hold is told to `error`, and the next one is shown", async () => {
  const { receive, close, errors, live, clock } = await createSubscriber();
  vi.stubGlobal("Float16Array", undefined);
  try {
    const half = { plain: new Uint8Array(2), annotations: [[[], "Float16Array"]], size: 10 };
    receive(value, "Cursor", 1, half as unknown as Received);
    await clock.advance(10);
  } finally {
    vi.unstubAllGlobals();
  }
  receive(value, "Cursor", 2, received("next"));
  await clock.advance(10);
  expect(errors).toMatchObject([{ message: expect.stringContaining("Float16Array") }]);
  expect(live.peek()).toMatchObject([{ value: "next" }]);
  expect(close).not.toHaveBeenCalled();
});

test("a value whose schema answers after its link was lost is stale", async () => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const slow = v.pipeAsync(
    v.any(),
    v.checkAsync(() => promise),
  );
  const { receive, service, live, clock } = await createSubscriber(definePresence("Cursor", slow));
  receive(value, "Cursor", 1, received("late"));
  await clock.advance(10);
  service.end({} as BonevalueError, false);
  resolve(true);
  await clock.advance(10);
  await clock.advance(10);
  expect(live.peek()).toMatchObject([{ value: "late", stale: true }]);
});

test("a value is sent to subscribers only, a large one on control only, and nothing after its withdrawal or the link's end", async () => {
  const { connect, offer, sent, clock } = createPage();
  const other = connect();
  const mine = offer(Cursor, "first");
  await clock.advance(100);
  expect(sent).toEqual([]);
  other.receive(subscribe, "Cursor");
  const version = () => sent.at(-1)!.frame[3] as number;
  other.receive(ack, "Cursor", version());
  mine.set("x".repeat(8_000));
  await clock.advance(100);
  expect(sent.map(({ channel }) => channel)).toEqual(["control", "control"]);
  other.receive(ack, "Cursor", version());
  expect(other.service.isIdle).toBe(false);
  mine.set("last");
  mine.stop();
  await clock.advance(100);
  expect(sent.map(({ frame }) => frame.length)).toEqual([5, 5, 4]);
  expect(other.service.isIdle).toBe(true);
  const again = offer(Cursor, "again");
  other.receive(ack, "Cursor", version());
  const { length } = sent;
  other.service.end({} as BonevalueError, false);
  again.set("to nobody");
  await clock.advance(100);
  expect(sent).toHaveLength(length);
});
