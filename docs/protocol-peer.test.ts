import { encode } from "@msgpack/msgpack";
import { beforeEach, expect, test } from "vitest";
import type { Client } from "../core/client.ts";
import { createMemoryDiscovery, type MemoryDiscovery } from "../core/discovery/memory.ts";
import { createEventRecorder } from "../core/discovery/testing/event-recorder.ts";
import type { SignalKind } from "../core/protocol/messages.ts";
import { createClientOn } from "../core/testing/client-on.ts";
import { createVirtualClock, type VirtualClock } from "../core/testing/virtual-clock.ts";
import { createMemoryNetwork } from "../core/transport/memory.ts";
import type { Link, SignalExchange, SignalListener, Transport } from "../core/transport/transport.ts";
import { createPeer, type Peer } from "./protocol-peer.ts";

interface Bob extends Peer {
  id(): string;
  dial(other: string): void;
}

/** The page's peer, on a discovery and a transport in memory. */
function createBob(discovery: MemoryDiscovery, transport: Transport): Bob {
  let listener: SignalListener | undefined;
  let link: Link | undefined;
  let id = "";
  const peer = createPeer({
    id: () => id,
    send: (channel, message) => link?.send(channel, message),
    close: () => link?.close(),
  });
  const session = discovery.open(
    "",
    { username: "bob", password: "" },
    { ...createEventRecorder().events, online: ({ self }) => (id = self.id), signal: onSignal },
    { app: "" },
  );

  function onSignal(kind: SignalKind, from: string, signal: unknown): void {
    const { attempt, description, candidates = [] } = signal as any;
    if (kind === "peerRequest" && !link) connect(from, attempt, "peerResponse");
    // The platform listens a moment later.
    queueMicrotask(() => {
      if (description) listener?.description(description);
      for (const candidate of candidates) listener?.candidate(candidate);
    });
  }

  function connect(other: string, attempt: number, kind: SignalKind): void {
    const send = (part: object) => session.signal(kind, other, { attempt, round: 0, ...part });
    const exchange: SignalExchange = {
      describe: (description) => send({ description }),
      candidate: (candidate) => send({ candidates: [candidate] }),
      listen(newListener) {
        listener = newListener;
      },
      restart() {},
      settled() {},
      iceServers: () => [],
    };
    link = transport.open(other, kind === "peerRequest" ? "caller" : "callee", exchange);
    link.listen({ message: peer.take, drain() {}, interrupted() {}, restored() {} });
    link.opened.then(peer.open);
  }

  return { ...peer, id: () => id, dial: (other) => connect(other, 1, "peerRequest") };
}

let clock: VirtualClock;
let ann: Client;
let bob: Bob;
const soon = () => clock.advance(100);

beforeEach(async () => {
  clock = createVirtualClock();
  const discovery = createMemoryDiscovery({ clock });
  const { transport } = createMemoryNetwork({ clock });
  for (const name of ["ann", "bob"]) discovery.addUser(name, "");
  discovery.trust("ann", "Bob", "bob", "Ann");
  ann = createClientOn(clock, { discovery, transport, moduleGrace: 0 });
  bob = createBob(discovery, transport);
  ann.connect("", "ann", "");
  await soon();
});

/** Bob calls first: he has dialed, and said hello. */
async function dialed(): Promise<void> {
  bob.dial(ann.getId()!);
  await soon();
}

test("a peer written from the page is dialed, says hello, answers and fails", async () => {
  const value = { text: "Not Friday", list: [1, -1.5, null, true], bytes: Uint8Array.of(1, 2) };
  const [echo, nope] = [ann.get("Bob").call("Echo", value), ann.get("Bob").call("Nope", 1)];
  await soon();
  expect(await echo.first()).toEqual(value);
  await expect(nope.first()).rejects.toMatchObject({ code: "unknown-module", message: "There is none." });
  const hello = [0, 1, expect.objectContaining({ peer: ann.getId(), value: 8_388_608 })];
  expect(bob.frames(0)).toEqual(["control", "bulk"].map((channel) => [channel, hello]));
});

test("it receives deadlines and cancels", async () => {
  const replies = ann.get("Bob").call("Wait", undefined, { timeout: 5_000 });
  await soon();
  expect(bob.frames(1)).toEqual([["control", [1, 1, "Wait", null, 5_000, [[[], "undefined"]]]]]);
  replies.cancel();
  await soon();
  expect(bob.frames(4)).toEqual([["control", [4, 1, "cancelled"]]]);
});

test("it dials and calls: answers and failures come back", async () => {
  ann.module("Greet", ({ request, peer }) => ({ hello: request, from: peer.name, at: new Date(5) }));
  await dialed();
  bob.say("control", [1, 1, "Greet", "you", 1_000], [1, 2, "Nope", null, null]);
  await soon();
  expect(bob.frames(2)).toEqual([["control", [2, 1, { hello: "you", from: "Bob", at: 5 }, [[["at"], "Date"]]]]]);
  expect(bob.frames(3)).toEqual([["control", [3, 2, "unknown-module", expect.any(String)]]]);
});

test("it takes a call back: the handler learns of it, and no answer comes", async () => {
  const { promise: aborted, resolve } = Promise.withResolvers<unknown>();
  ann.module("Wait", ({ signal }) => new Promise(() => signal.addEventListener("abort", () => resolve(signal.reason))));
  await dialed();
  bob.say("control", [1, 1, "Wait", null, null]);
  await soon();
  bob.say("control", [4, 1, "cancelled"]);
  expect(await Promise.race([aborted, soon()])).toMatchObject({ code: "cancelled" });
  expect([...bob.frames(2), ...bob.frames(3)]).toEqual([]);
});

test("it sends and receives messages, on control and on lossy", async () => {
  const received: unknown[] = [];
  ann.module("Note", ({ request }) => void received.push(request));
  await dialed();
  bob.say("control", [12, 0, "Note", "one"]);
  bob.say("lossy", [12, 0, "Note", "two"]);
  ann.get("Bob").message("Cursor", [3, 4], { lossy: true });
  await soon();
  expect(received).toEqual(["one", "two"]);
  expect(bob.frames(12)).toEqual([["lossy", [12, 0, "Cursor", [3, 4]]]]);
});

test("it puts a large value together, and cuts one", async () => {
  const large = new Uint8Array(200_000).fill(7);
  const replies = ann.get("Bob").call("Wait", large);
  await soon();
  expect(Buffer.compare(bob.frames(1)[0]![1][3], large)).toBe(0);
  const answer = encode([2, 1, large]);
  for (let rest = answer.length; rest > 0; ) {
    const piece = answer.subarray(answer.length - rest).subarray(0, 60_000);
    rest -= piece.length;
    bob.say("bulk", [9, 1, rest, piece]);
  }
  await soon();
  expect(Buffer.compare((await replies.first()) as Uint8Array, large)).toBe(0);
});

test("it agrees to close", async () => {
  await dialed();
  bob.sayOnBoth([10, 0]);
  await soon();
  expect(bob.frames(10)).toEqual([
    ["control", [10, 1]],
    ["bulk", [10, 1]],
  ]);
  expect(ann.link(bob.id()).value).toEqual({ status: "idle" });
});

test("it is told what it broke", async () => {
  await dialed();
  bob.say("control", [1, "no id", "Echo", null, null]);
  await soon();
  expect(bob.frames(10)).toEqual([["control", [10, 0, "protocol"]]]);
});

test("it reads a stream under credit, and stops it", async () => {
  ann.module("Count", async function* () {
    for (let n = 1; ; n++) yield n;
  });
  await dialed();
  bob.say("control", [1, 1, "Count", null, null]);
  await soon();
  expect([bob.frames(2), bob.frames(5)]).toEqual([[["bulk", [2, 1, null, [[[], "stream", 1]]]]], []]);
  // Each of these items is a frame of four bytes.
  bob.say("control", [7, 1, 0, 8]);
  await soon();
  expect(bob.frames(5)).toEqual([1, 2].map((n) => ["bulk", [5, 1, n]]));
  bob.say("control", [8, 1, "cancelled"]);
  await soon();
  expect(bob.frames(6)).toEqual([["bulk", [6, 1, "cancelled", expect.any(String)]]]);
});

test("it sends a stream as it is given credit", async () => {
  const replies = ann.get("Bob").call("Wait");
  await soon();
  bob.say("bulk", [2, 1, null, [[[], "stream", 1]]]);
  await soon();
  const reader = ((await replies.first()) as ReadableStream<string>).getReader();
  const reads = Promise.all([reader.read(), reader.read(), reader.read()]);
  await soon();
  expect(bob.frames(7)).toEqual([["control", [7, 1, 0, 262_144]]]);
  bob.say("bulk", [5, 1, "one"], [5, 1, "two"], [6, 1]);
  await soon();
  expect((await reads).map(({ value }) => value)).toEqual(["one", "two", undefined]);
});
