import { expect, test } from "vitest";
import { fc } from "../../tools/property.ts";
import { BonevalueError, type ErrorCode } from "../errors.ts";
import type { LazyPart } from "../lazy-part.ts";
import type { SignalKind } from "../protocol/messages.ts";
import type { OpenRelay } from "../relay-access.ts";
import { alreadyLoaded } from "../testing/already-loaded.ts";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { createMemoryNetwork } from "../transport/memory.ts";
import type { Link, SignalExchange, Transport } from "../transport/transport.ts";
import { createDialer, type Dialer } from "./dialer.ts";
import type { Signal } from "./signaling.ts";
import { createFakeLink } from "./testing/fake-link.ts";

interface SentSignal {
  readonly from: string;
  readonly kind: SignalKind;
  readonly signal: Signal;
}

interface Side extends Dialer {
  readonly log: string[];
  readonly links: Link[];
  readonly freed: string[];
  /** Refuses every peer that dials. */
  refusal: ErrorCode | undefined;
  /** Leaves every peer that dials without an answer. */
  holds: boolean;
  /** Open links carry signals. */
  carriesSignals: boolean;
  /** Runs when a dial has failed. */
  afterFailure: () => void;
}

/** Dialers "a" and "b" on one memory network. Their relay takes 10 ms and drops signals unless `passes` returns `true`. */
function createPair({
  transport,
  passes = () => true,
  connectionPart = alreadyLoaded({}),
  openRelay,
}: {
  transport?: Transport;
  passes?: (sentSignal: SentSignal) => boolean;
  connectionPart?: LazyPart;
  openRelay?: OpenRelay;
} = {}) {
  const clock = createVirtualClock();
  const network = createMemoryNetwork({ clock, latency: 20 });
  const sentSignals: SentSignal[] = [];
  const sentOnLinks: Signal[] = [];

  function createSide(id: string, firstAttempt: number): Side {
    const log: string[] = [];
    const links: Link[] = [];
    const freed: string[] = [];
    const dialer = createDialer({
      transport: transport ?? network.transport,
      clock,
      firstAttempt,
      connectionPart,
      self: () => id,
      send(kind, to, signal) {
        const sentSignal = { from: id, kind, signal };
        sentSignals.push(sentSignal);
        if (passes(sentSignal)) clock.after(10, () => sides[to]?.receive(kind, id, structuredClone(signal)));
      },
      sendOnLink(_to, signal) {
        if (side.carriesSignals) sentOnLinks.push(signal);
        return side.carriesSignals;
      },
      iceServers: () => [],
      openRelay: () => openRelay,
      isKnown: () => side.refusal !== "unknown-peer",
      onIncoming(peer) {
        if (side.refusal === "unknown-peer") throw new Error("An unknown peer is refused by the dialer itself.");
        if (side.refusal) dialer.refuse(peer, side.refusal);
        else if (!side.holds) dialer.accept(peer);
      },
      onOpen(peer, link, role) {
        links.push(link);
        log.push(`open to ${peer} as ${role}`);
        link.closed.then((reason) => log.push(`closed: ${reason?.code}`));
      },
      onFailed(peer, error) {
        log.push(`failed to ${peer}: ${error.code}, ${error.message}`);
        side.afterFailure();
      },
      onFree: (peer) => freed.push(peer),
    });
    const side: Side = {
      ...dialer,
      log,
      links,
      freed,
      refusal: undefined,
      holds: false,
      carriesSignals: false,
      afterFailure: () => {},
    };
    return side;
  }

  const sides: Record<string, Side> = {};
  const a = createSide("a", 1);
  const b = createSide("b", 1);
  Object.assign(sides, { a, b });

  /** Replaces "a" by a new page that has the same id. The old page is gone and says nothing. */
  function reloadA(firstAttempt: number): Side {
    sides["a"] = createSide("a", firstAttempt);
    return sides["a"];
  }
  return { clock, network, sentSignals, sentOnLinks, a, b, reloadA };
}

const ends = (sentSignals: readonly SentSignal[]) =>
  sentSignals.flatMap(({ from, signal: { end } }) => (end ? [`${from}: ${end}`] : []));

/** A transport whose links change state only when a test says so. */
function createManualTransport() {
  const made: {
    role: string;
    link: Link;
    exchange: SignalExchange;
    open(): void;
    end(reason?: BonevalueError): void;
  }[] = [];
  const transport: Transport = {
    open(_peer, role, exchange) {
      let open = () => {};
      let end: (reason?: BonevalueError) => void = () => {};
      const closed = new Promise<BonevalueError | undefined>((resolve) => {
        end = resolve;
      });
      const opened = new Promise<void>((resolve, reject) => {
        open = resolve;
        closed.then((reason) => reject(reason ?? new Error("closed")));
      });
      opened.catch(() => {});
      const link = createFakeLink({ opened, closed, close: end, trouble: () => "There was no relay candidate." });
      made.push({ role, link, exchange, open, end });
      exchange.listen({ description: () => {}, candidate: () => {}, restart: () => {} });
      exchange.describe({ type: role === "caller" ? "offer" : "answer", sdp: "" });
      return link;
    },
  };
  return { transport, made };
}

test("a dial opens one link for both peers", async () => {
  const { clock, network, a, b } = createPair();
  a.dial("b");
  await clock.advance(1_000);
  expect(a.log).toEqual(["open to b as caller"]);
  expect(b.log).toEqual(["open to a as callee"]);
  expect(network.size).toBe(2);
  expect(clock.waiting).toBe(0);
});

test("the deadline of a dial that others have joined ends when the link opens", async () => {
  const { clock, network, a } = createPair();
  a.dial("b");
  a.dial("b");
  await clock.advance(20_000);
  expect(a.log).toEqual(["open to b as caller"]);
  expect([network.size, clock.waiting]).toEqual([2, 0]);
});

test("if both peers dial at once, one link opens, and the smaller id is its caller", async () => {
  const { clock, network, a, b } = createPair();
  b.dial("a");
  a.dial("b");
  await clock.advance(1_000);
  expect(a.log).toEqual(["open to b as caller"]);
  expect(b.log).toEqual(["open to a as callee"]);
  expect(network.size).toBe(2);
});

test("a dial succeeds over a relay that loses every other signal", async () => {
  let count = 0;
  const { clock, a, b } = createPair({ passes: () => count++ % 2 === 1 });
  a.dial("b");
  await clock.advance(15_000);
  expect([a.log, b.log]).toEqual([["open to b as caller"], ["open to a as callee"]]);
});

test("signals that were lost without a server are sent again when it is back", async () => {
  let away = true;
  const { clock, a } = createPair({ passes: () => !away });
  a.dial("b");
  await clock.advance(500);
  away = false;
  a.resendAll();
  await clock.advance(100);
  expect(a.log).toEqual(["open to b as caller"]);
});

test("a dial without an answer fails after 15 s, and the peer is informed", async () => {
  const { clock, network, sentSignals, a } = createPair({ passes: () => false });
  a.dial("b");
  await clock.advance(14_999);
  expect(a.log).toEqual([]);
  await clock.advance(1);
  expect(a.log).toEqual([expect.stringMatching(/^failed to b: link-failed, .* did not answer within 15 s/)]);
  expect(ends(sentSignals)).toEqual(["a: timeout"]);
  expect([network.size, clock.waiting]).toEqual([0, 0]);
});

test("a dial that is answered but finds no path fails with what the transport knows", async () => {
  const { clock, a } = createPair({ transport: createManualTransport().transport });
  a.dial("b");
  await clock.advance(15_000);
  expect(a.log).toEqual([expect.stringMatching(/^failed to b: link-failed, .*There was no relay candidate/)]);
});

test("a dial whose transport fails ends with the transport's reason", async () => {
  const { transport, made } = createManualTransport();
  const { clock, sentSignals, a } = createPair({ transport });
  a.dial("b");
  made[0]?.end(new BonevalueError("unsupported", "No WebRTC here."));
  await clock.advance(100);
  expect(a.log).toEqual(["failed to b: unsupported, No WebRTC here."]);
  expect(ends(sentSignals)).toContain("a: unsupported");
});

test.each(["caller", "callee"])(
  "a transport that throws on the %s's side fails that dial, and not the next",
  async (whose) => {
    const thrown = new TypeError("no such device");
    let throws = true;
    const transport: Transport = {
      open(peer, role, exchange) {
        if (throws && role === whose) throw thrown;
        return network.transport.open(peer, role, exchange);
      },
    };
    const { clock, network, a, b } = createPair({ transport });
    a.dial("b");
    await clock.advance(1_000);
    expect(a.log).toEqual([expect.stringMatching(/^failed to b: link-failed/)]);
    expect([network.size, clock.waiting]).toEqual([0, 0]);
    throws = false;
    a.dial("b");
    await clock.advance(1_000);
    expect(a.log[1]).toBe("open to b as caller");
    expect(b.log).toEqual(["open to a as callee"]);
  },
);

test("if the peer times out first, the reason is what we know about the path", async () => {
  const { transport } = createManualTransport();
  const { clock, a } = createPair({ transport });
  a.dial("b");
  await clock.advance(100);
  a.receive("peerResponse", "b", { attempt: 1, round: 0, end: "timeout" });
  expect(a.log).toEqual([expect.stringMatching(/^failed to b: link-failed, .*There was no relay candidate/)]);
});

test("a link that breaks while it is being made is dialed again until the dial times out", async () => {
  const { transport, made } = createManualTransport();
  const { clock, a } = createPair({ transport });
  a.dial("b");
  const lost = new BonevalueError("disconnected", "The handshake was lost.");
  for (let attempt = 1; attempt <= 3; attempt++) {
    const callers = made.filter(({ role }) => role === "caller");
    expect(callers).toHaveLength(attempt);
    callers.at(-1)?.end(lost);
    await clock.advance(100);
  }
  expect([a.log, a.freed]).toEqual([[], []]);
  made.findLast(({ role }) => role === "caller")?.open();
  await clock.advance(100);
  expect(a.log).toEqual(["open to b as caller"]);
});

test("a dial whose links all break fails with the last error", async () => {
  const { transport, made } = createManualTransport();
  const breaking: Transport = {
    open(...args) {
      const link = transport.open(...args);
      made.at(-1)?.end(new BonevalueError("disconnected", "The handshake was lost."));
      return link;
    },
  };
  const { clock, a } = createPair({ transport: breaking });
  a.dial("b");
  await clock.advance(15_000);
  expect(a.log).toEqual(["failed to b: disconnected, The handshake was lost."]);
  expect(clock.waiting).toBe(0);
});

test("a dial that times out after a broken attempt reports that error, and gives no advice about paths", async () => {
  const { transport, made } = createManualTransport();
  const pathless: Transport = {
    open(...args) {
      const link = { ...transport.open(...args), trouble: () => undefined };
      const { end } = made.at(-1)!;
      clock.after(1_000, () => end(new BonevalueError("disconnected", "The handshake was lost.")));
      return link;
    },
  };
  const { clock, a } = createPair({ transport: pathless });
  a.dial("b");
  await clock.advance(20_000);
  expect(a.log).toEqual(["failed to b: disconnected, The handshake was lost."]);
});

test("a dial that is refused fails with the code of the refusal", async () => {
  const { clock, network, a, b } = createPair();
  b.refusal = "busy";
  a.dial("b");
  await clock.advance(1_000);
  expect(a.log).toEqual([expect.stringMatching(/^failed to b: busy, .*Try again/)]);
  expect(b.log).toEqual([]);
  expect([network.size, clock.waiting]).toEqual([0, 0]);
});

test("a refusal with a code that this version does not know fails as link-failed", async () => {
  const { clock, a } = createPair({ passes: () => false });
  a.dial("b");
  await clock.advance(0);
  a.receive("peerResponse", "b", { attempt: 1, round: 0, end: "of a later version" });
  expect(a.log).toEqual([expect.stringMatching(/^failed to b: link-failed, .*\(of a later version\)/)]);
});

test("an attempt waits until it is accepted, and then reads what the peer has sent meanwhile", async () => {
  const { clock, a, b } = createPair();
  b.holds = true;
  a.dial("b");
  await clock.advance(5_000);
  expect([a.log, b.log]).toEqual([[], []]);
  b.accept("a");
  await clock.advance(1_000);
  expect([a.log, b.log]).toEqual([["open to b as caller"], ["open to a as callee"]]);
});

test("an attempt that is neither accepted nor refused ends with busy before the peer times out", async () => {
  const { clock, network, a, b } = createPair();
  b.holds = true;
  a.dial("b");
  await clock.advance(10_100);
  expect(a.log).toEqual([expect.stringMatching(/^failed to b: busy/)]);
  expect([network.size, clock.waiting]).toEqual([0, 0]);
  expect([a.freed, b.freed]).toEqual([["b"], ["a"]]);
});

test("an attempt that was accepted ends with timeout 15 s later if it does not open", async () => {
  const { transport, made } = createManualTransport();
  const { clock, sentSignals, a } = createPair({ transport, passes: () => false });
  a.receive("peerRequest", "b", { attempt: 1, round: 0, description: { type: "offer", sdp: "" } });
  await clock.advance(14_999);
  expect(ends(sentSignals)).toEqual([]);
  await clock.advance(1);
  expect(ends(sentSignals)).toEqual(["a: timeout"]);
  expect([made.length, a.freed]).toEqual([1, ["b"]]);
});

test("accept and refuse affect nothing but an attempt that waits", async () => {
  const { clock, network, a, b } = createPair();
  b.accept("a");
  b.refuse("a", "busy");
  a.dial("b");
  await clock.advance(1_000);
  b.accept("a");
  b.refuse("a", "busy");
  a.refuse("b", "busy");
  await clock.advance(20_000);
  expect([a.log, b.log]).toEqual([["open to b as caller"], ["open to a as callee"]]);
  expect([network.size, clock.waiting]).toEqual([2, 0]);
  expect([a.freed, b.freed]).toEqual([[], []]);
  a.links[0]?.close();
  await clock.advance(1_000);
  b.accept("a");
  expect([a.freed, b.freed]).toEqual([["b"], ["a"]]);
});

test("a peer that is dialed again as its dial fails is not free", async () => {
  const { clock, a, b } = createPair();
  b.refusal = "forbidden";
  a.afterFailure = () => {
    a.forget("b");
    b.refusal = undefined;
    a.dial("b");
  };
  a.dial("b");
  await clock.advance(1_000);
  expect(a.log).toEqual([expect.stringContaining("failed to b: forbidden"), "open to b as caller"]);
  expect(a.freed).toEqual([]);
});

test("signals that name this client as their sender are ignored", async () => {
  const { clock, network, sentSignals, a } = createPair();
  a.receive("peerRequest", "a", { attempt: 1, round: 0, description: { type: "offer", sdp: "an offer" } });
  await clock.advance(1_000);
  expect([sentSignals, network.size, a.log]).toEqual([[], 0, []]);
});

test("resendAll sends the description of a dial that is not open again, and asks nothing about it", async () => {
  const { clock, sentSignals, a } = createPair({ passes: () => false });
  a.dial("b");
  await clock.advance(100);
  const before = sentSignals.length;
  a.resendAll();
  expect(sentSignals.slice(before).map(({ signal }) => signal.description !== undefined)).toEqual([true]);
});

test("our own dial is not announced as incoming", async () => {
  const { clock, a } = createPair();
  a.refusal = "busy";
  a.dial("b");
  await clock.advance(1_000);
  expect(a.log).toEqual(["open to b as caller"]);
});

test("a dial that times out does not end the attempt of the peer that has replaced its own", async () => {
  const { transport, made } = createManualTransport();
  const { clock, b } = createPair({ transport, passes: () => false });
  b.dial("a");
  await clock.advance(5_000);
  b.receive("peerRequest", "a", { attempt: 1, round: 0, description: { type: "offer", sdp: "" } });
  await clock.advance(11_000);
  expect(b.log).toEqual([expect.stringMatching(/^failed to a: link-failed/)]);
  expect(b.freed).toEqual([]);
  made.at(-1)?.open();
  await clock.advance(0);
  expect(b.log[1]).toBe("open to a as callee");
});

test("a dial that joined an attempt of the peer continues when that attempt times out", async () => {
  const { transport, made } = createManualTransport();
  const { clock, a } = createPair({ transport, passes: () => false });
  a.receive("peerRequest", "b", { attempt: 1, round: 0, description: { type: "offer", sdp: "" } });
  await clock.advance(5_000);
  a.dial("b");
  await clock.advance(10_100);
  expect(made.map(({ role }) => role)).toEqual(["callee", "caller"]);
});

test("a link that opens as its peer is forgotten is not reported", async () => {
  const { transport, made } = createManualTransport();
  const { clock, a } = createPair({ transport, passes: () => false });
  a.dial("b");
  made[0]?.open();
  a.forget("b");
  await clock.advance(1_000);
  expect(a.log).toEqual([]);
});

test("a forgotten peer is not dialed again after a broken attempt", async () => {
  const { transport, made } = createManualTransport();
  const { clock, a } = createPair({ transport, passes: () => false });
  a.dial("b");
  made[0]?.end(new BonevalueError("disconnected", "The handshake was lost."));
  await clock.advance(10);
  a.forget("b");
  await clock.advance(1_000);
  expect([made.length, clock.waiting]).toEqual([1, 0]);
});

test("a peer that has become unknown during its dial can be forgotten", async () => {
  const { transport, made } = createManualTransport();
  const { clock, a } = createPair({ transport, passes: () => false });
  a.dial("b");
  made[0]?.end(new BonevalueError("disconnected", "The handshake was lost."));
  await clock.advance(10);
  a.refusal = "unknown-peer";
  a.receive("peerResponse", "b", { attempt: 1, round: 0, candidates: [] });
  a.forget("b");
  await clock.advance(1_000);
  expect([made.length, clock.waiting]).toEqual([1, 0]);
});

test("the end of an open link is no failed dial", async () => {
  const { clock, a } = createPair();
  a.dial("b");
  await clock.advance(1_000);
  a.links[0]?.close(new BonevalueError("protocol", "A malformed frame."));
  await clock.advance(1_000);
  expect(a.log).toEqual(["open to b as caller", "closed: protocol"]);
});

test("a peer is free once no link, no attempt and no dial of it is left", async () => {
  const { clock, network, a, b } = createPair();
  a.dial("b");
  await clock.advance(1_000);
  a.links[0]?.close();
  await clock.advance(1_000);
  expect([a.freed, b.freed]).toEqual([["b"], ["a"]]);
  // The slot of the polite peer's dial covers the attempt that replaced it.
  network.partition("a", "b");
  b.dial("a");
  a.dial("b");
  await clock.advance(14_000);
  expect([a.freed, b.freed]).toEqual([["b"], ["a"]]);
  await clock.advance(6_000);
  expect([a.freed, b.freed]).toEqual([
    ["b", "b"],
    ["a", "a"],
  ]);
});

test("a dial to a peer that the server cannot reach fails at once, and an open link stays", async () => {
  const { clock, network, a } = createPair();
  a.onUnreachable("b");
  a.dial("b");
  a.onUnreachable("b");
  expect(a.log).toEqual([expect.stringMatching(/^failed to b: unknown-peer/)]);
  expect([network.size, a.freed]).toEqual([0, ["b"]]);
  a.dial("b");
  await clock.advance(1_000);
  a.onUnreachable("b");
  await clock.advance(1_000);
  expect(a.log.slice(1)).toEqual(["open to b as caller"]);
});

test("a peer that has lost its link and dials again gets a new one after the old one has ended", async () => {
  const { clock, network, a, b } = createPair();
  a.dial("b");
  await clock.advance(1_000);
  network.partition("a", "b");
  a.forget("b");
  network.heal();
  a.dial("b");
  await clock.advance(1_000);
  expect(b.log).toEqual(["open to a as callee", "closed: disconnected", "open to a as callee"]);
  expect(network.size).toBe(2);
});

test("a dial that joined the peer's attempt continues when the peer gives up", async () => {
  const { clock, network, a, b } = createPair();
  network.partition("a", "b");
  a.dial("b");
  await clock.advance(100);
  b.dial("a");
  a.forget("b");
  network.heal();
  await clock.advance(1_000);
  expect(b.log).toEqual(["open to a as caller"]);
  expect(a.log).toEqual(["open to b as callee"]);
});

test("forgetting a peer ends its attempt on both sides and reports no failure", async () => {
  const { clock, network, sentSignals, a, b } = createPair();
  a.dial("b");
  await clock.advance(5);
  a.forget("b");
  await clock.advance(1_000);
  // The others answer b's description and candidate, which were under way.
  expect(ends(sentSignals)).toEqual(["a: cancelled", "a: disconnected", "a: disconnected"]);
  expect([a.log, b.log]).toEqual([[], []]);
  expect([network.size, clock.waiting]).toEqual([0, 0]);
});

test("stop ends every attempt, keeps open links for their holders to close, and leaves nothing behind", async () => {
  const { clock, network, sentSignals, a, b } = createPair();
  a.dial("b");
  await clock.advance(1_000);
  a.dial("c");
  a.stop();
  await clock.advance(1_000);
  expect(ends(sentSignals)).toEqual(["a: cancelled"]);
  expect([a.log, b.log]).toEqual([["open to b as caller"], ["open to a as callee"]]);
  a.links[0]?.close(new BonevalueError("cancelled", "The test is over."));
  await clock.advance(1_000);
  expect([a.log.at(-1), b.log.at(-1)]).toEqual(["closed: cancelled", "closed: disconnected"]);
  expect([network.size, clock.waiting]).toEqual([0, 0]);
});

test("a peer that keeps dialing has one attempt, which times out", async () => {
  const { clock, network, a } = createPair();
  for (let attempt = 1; attempt <= 1_000; attempt++) {
    a.receive("peerRequest", "b", { attempt, round: 0, description: { type: "offer", sdp: "nowhere" } });
  }
  expect(network.size).toBe(1);
  await clock.advance(60_000);
  expect(network.size).toBe(0);
  expect(a.log).toEqual([]);
});

test("a peer that begins attempts in a loop gets ten connections in a second, and more in the next", async () => {
  const { transport, made } = createManualTransport();
  const { clock, a } = createPair({ transport, passes: () => false });
  const description = { type: "offer", sdp: "" };
  for (let attempt = 1; attempt <= 90; attempt++) {
    a.receive("peerRequest", "b", { attempt, round: 0, description });
    a.receive("peerRequest", "b", { attempt, round: 0, end: "cancelled" });
    await clock.advance(10);
  }
  expect(made).toHaveLength(10);
  for (let time = 0; time <= 200; time += 200) {
    a.receive("peerRequest", "b", { attempt: 91, round: 0, description });
    expect(made).toHaveLength(time === 0 ? 10 : 11);
    await clock.advance(200);
  }
  made.at(-1)?.open();
  await clock.advance(0);
  expect(a.log).toEqual(["open to b as callee"]);
});

test("attempts that replace each other count against that limit, too", async () => {
  const { transport, made } = createManualTransport();
  const { a } = createPair({ transport, passes: () => false });
  for (let attempt = 1; attempt <= 30; attempt++)
    a.receive("peerRequest", "b", { attempt, round: 0, description: { type: "offer", sdp: "" } });
  expect(made).toHaveLength(10);
});

test("attempts that open a link do not count against the rate limit", async () => {
  const { transport, made } = createManualTransport();
  const { clock, a } = createPair({ transport, passes: () => false });
  for (let attempt = 1; attempt <= 50; attempt++) {
    a.receive("peerRequest", "b", { attempt, round: 0, description: { type: "offer", sdp: "" } });
    made.at(-1)?.open();
    await clock.advance(0);
    made.at(-1)?.end();
    await clock.advance(10);
  }
  expect(made).toHaveLength(50);
  expect(a.log.filter((line) => line === "open to b as callee")).toHaveLength(50);
});

test("a malformed signal never throws, and is answered with nothing but an end", () => {
  const almost = fc.record(
    {
      attempt: fc.oneof(fc.integer({ min: -1, max: 3 }), fc.anything()),
      round: fc.oneof(fc.integer({ min: -1, max: 3 }), fc.anything()),
      description: fc.oneof(fc.constant({ type: "offer", sdp: "nowhere" }), fc.anything()),
      candidates: fc.oneof(fc.array(fc.record({ candidate: fc.string() })), fc.anything()),
      end: fc.oneof(fc.string(), fc.anything()),
    },
    { requiredKeys: [] },
  );
  const kinds = fc.constantFrom<SignalKind>("peerRequest", "peerResponse");
  const signals = fc.array(fc.tuple(kinds, fc.oneof(almost, fc.anything())), { maxLength: 20 });
  fc.assert(
    fc.property(signals, (hostile) => {
      const { network, sentSignals, a } = createPair();
      for (const [kind, signal] of hostile) a.receive(kind, "b", signal);
      expect(network.size).toBeLessThanOrEqual(1);
      expect(sentSignals.every(({ signal }) => signal.end !== undefined)).toBe(true);
    }),
  );
});

test("a signal over an open link is ignored unless it is about that link", async () => {
  const { clock, sentSignals, network, a, b } = createPair();
  a.dial("b");
  await clock.advance(5_000);
  const before = sentSignals.length;
  for (const strange of ["junk", { attempt: 7, round: 0 }, { attempt: 1, round: 0, end: "cancelled" }]) {
    b.receiveOnLink("a", strange);
    b.receiveOnLink("c", strange);
  }
  await clock.advance(20_000);
  expect(sentSignals).toHaveLength(before);
  expect(b.log).toEqual(["open to a as callee"]);
  expect(network.size).toBe(2);
});

test("an open link carries requests for its restart, and no others", async () => {
  const { transport, made } = createManualTransport();
  const { clock, a } = createPair({ transport, passes: () => false });
  a.dial("b");
  const [{ open, exchange }] = made as [(typeof made)[number]];
  let restarts = 0;
  exchange.listen({ description: () => {}, candidate: () => {}, restart: () => restarts++ });
  a.receiveOnLink("b", { attempt: 1, round: 1 });
  open();
  await clock.advance(0);
  a.receiveOnLink("b", { attempt: 7, round: 1 });
  expect(restarts).toBe(0);
  a.receiveOnLink("b", { attempt: 1, round: 1 });
  expect(restarts).toBe(1);
});

test.each([
  ["an error", new BonevalueError("disconnected", "Nothing arrives."), "disconnected"],
  ["no error", undefined, "cancelled"],
])("giving up a silent link with %s informs the peer through discovery", async (_, reason, code) => {
  const { clock, sentSignals, network, a, b } = createPair();
  a.dial("b");
  await clock.advance(5_000);
  network.partition("a", "b");
  a.setSilent("b", true);
  a.links[0]?.close(reason);
  await clock.advance(100);
  expect(ends(sentSignals)).toEqual([`a: ${code}`]);
  expect(b.log).toEqual(["open to a as callee", "closed: disconnected"]);
});

test("whatever code the peer ends an open link with, the link was lost", async () => {
  const { clock, a } = createPair();
  a.dial("b");
  await clock.advance(5_000);
  a.receive("peerResponse", "b", { attempt: 1, round: 0, end: "busy" });
  await clock.advance(100);
  expect(a.log).toEqual(["open to b as caller", "closed: disconnected"]);
});

test("an open link outlives that its peer is known", async () => {
  const { clock, a, b } = createPair();
  a.dial("b");
  await clock.advance(5_000);
  a.refusal = "unknown-peer";
  for (let count = 0; count < 2; count++) {
    b.resendAll();
    await clock.advance(100);
  }
  expect([a.log, b.log]).toEqual([["open to b as caller"], ["open to a as callee"]]);
});

test("a peer that is forgotten between two attempts is not dialed any more", async () => {
  const { transport, made } = createManualTransport();
  const { clock, b } = createPair({ transport, passes: () => false });
  b.holds = true;
  b.receive("peerRequest", "a", { attempt: 1, round: 0, candidates: [] });
  b.dial("a");
  for (let attempt = 1; attempt <= 2; attempt++) {
    b.receive("peerRequest", "a", { attempt, round: 0, candidates: [] });
    b.receive("peerRequest", "a", { attempt, round: 0, end: "cancelled" });
  }
  b.forget("a");
  await clock.advance(60_000);
  expect([made, b.log]).toEqual([[], []]);
});

test("resendAll asks about open links and finds those that the peer has given up", async () => {
  const { clock, sentSignals, network, a, b } = createPair();
  a.dial("b");
  await clock.advance(5_000);
  network.partition("a", "b");
  b.forget("a");
  const before = sentSignals.length;
  a.resendAll();
  await clock.advance(100);
  expect(sentSignals.slice(before).map(({ from, signal }) => [from, signal])).toEqual([
    ["a", { attempt: 1, round: 0 }],
    ["b", { attempt: 1, round: 0, end: "disconnected" }],
  ]);
  expect(a.log).toEqual(["open to b as caller", "closed: disconnected"]);
});

test("an open link carries its own signals, and discovery those of a restart, too", async () => {
  const { transport, made } = createManualTransport();
  const { clock, sentSignals, sentOnLinks, a } = createPair({ transport, passes: () => false });
  a.carriesSignals = true;
  a.dial("b");
  expect([sentSignals.length, sentOnLinks.length]).toEqual([1, 0]);
  const [{ open, exchange }] = made as [(typeof made)[number]];
  open();
  await clock.advance(10);
  exchange.candidate({ candidate: "late" });
  await clock.advance(100);
  expect([sentSignals.length, sentOnLinks.length]).toEqual([1, 1]);
  exchange.describe({ type: "offer", sdp: "restart" });
  expect([sentSignals.length, sentOnLinks.length]).toEqual([2, 2]);
  expect(sentSignals.at(-1)?.signal).toEqual(sentOnLinks.at(-1));
});

test("a link that both sides have survives resendAll of either side", async () => {
  const { clock, sentSignals, a, b } = createPair();
  a.dial("b");
  await clock.advance(5_000);
  const before = sentSignals.length;
  a.resendAll();
  b.resendAll();
  await clock.advance(20_000);
  expect(sentSignals).toHaveLength(before + 2);
  expect([a.log, b.log]).toEqual([["open to b as caller"], ["open to a as callee"]]);
});

test("a restart of a link that the peer has forgotten ends the link, and begins no other", async () => {
  const { clock, network, a, b } = createPair();
  a.dial("b");
  await clock.advance(5_000);
  network.partition("a", "b");
  b.forget("a");
  b.receive("peerRequest", "a", { attempt: 1, round: 1, description: { type: "offer", sdp: "" } });
  await clock.advance(100);
  expect(a.log).toEqual(["open to b as caller", "closed: disconnected"]);
  expect(b.log).toEqual(["open to a as callee"]);
});

test("signals of unknown peers are answered, and nothing is kept about these peers", async () => {
  const { clock, sentSignals, a } = createPair();
  a.refusal = "unknown-peer";
  for (const [index, kind] of (["peerRequest", "peerResponse"] as const).entries()) {
    for (const signal of [{ end: "busy" }, { candidates: [] }, {}]) {
      a.receive(kind, `invented ${index}`, { attempt: 7, round: 0, ...signal });
      a.receive(kind, `invented ${index}`, { attempt: 3, round: 0, ...signal });
    }
  }
  await clock.advance(100);
  // A remembered higher attempt would leave the lower one without an answer.
  const answered = (attempt: number) => ends(sentSignals.filter(({ signal }) => signal.attempt === attempt));
  expect(answered(7)).toHaveLength(4);
  expect(answered(7)).toContain("a: unknown-peer");
  expect(answered(3)).toEqual(answered(7));
});

test("the attempts of a known peer are remembered without a link", async () => {
  const { clock, sentSignals, a } = createPair();
  a.receive("peerRequest", "b", { attempt: 7, round: 0, end: "busy" });
  a.receive("peerRequest", "b", { attempt: 3, round: 0, candidates: [] });
  await clock.advance(100);
  expect(sentSignals).toEqual([]);
});

test.each(["forget", "stop"] as const)("%s also forgets the attempts of a peer", async (method) => {
  const { clock, sentSignals, a } = createPair();
  a.receive("peerRequest", "b", { attempt: 7, round: 0, end: "busy" });
  a.receive("peerRequest", "b", { attempt: 3, round: 0 });
  expect(sentSignals).toEqual([]);
  a[method]("b");
  a.receive("peerRequest", "b", { attempt: 3, round: 0 });
  await clock.advance(100);
  expect(ends(sentSignals)).toEqual(["a: disconnected"]);
});

test("a page that was reloaded and keeps its id reaches a peer that still has the old link", async () => {
  const { clock, a, b, reloadA } = createPair();
  a.dial("b");
  await clock.advance(1_000);
  expect(b.log).toEqual(["open to a as callee"]);
  const reloaded = reloadA(1_000);
  reloaded.dial("b");
  await clock.advance(1_000);
  expect(reloaded.log).toEqual(["open to b as caller"]);
  expect(b.log).toEqual(["open to a as callee", "closed: disconnected", "open to a as callee"]);
});

test("a transport reaches discovery's relay on both sides", async () => {
  const exchanges: SignalExchange[] = [];
  const { transport } = createManualTransport();
  const openRelay: OpenRelay = async () => undefined;
  const { a, clock } = createPair({
    transport: {
      open(peer, role, exchange) {
        exchanges.push(exchange);
        return transport.open(peer, role, exchange);
      },
    },
    openRelay,
  });
  a.dial("b");
  exchanges[0]!.relay!.describe({ algorithm: "P-256", publicKey: "A" });
  await clock.advance(20);
  expect(exchanges.map(({ relay }) => relay?.open)).toEqual([openRelay, openRelay]);
});

test("a transport has no relay while discovery offers none", () => {
  const { transport, made } = createManualTransport();
  createPair({ transport }).a.dial("b");
  expect(made[0]?.exchange.relay).toBeUndefined();
});
