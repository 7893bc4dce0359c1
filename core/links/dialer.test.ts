import { expect, test } from "vitest";
import { fc } from "../../tools/property.ts";
import { BonevalueError, type ErrorCode } from "../errors.ts";
import type { SignalKind } from "../protocol/messages.ts";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { createMemoryNetwork } from "../transport/memory.ts";
import type { Link, Transport } from "../transport/transport.ts";
import { createDialer, type Dialer } from "./dialer.ts";
import type { Signal } from "./signaling.ts";
import { createFakeLink } from "./testing/fake-link.ts";

interface Letter {
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
}

/** Peers "a" and "b" on one memory network, with a relay of 10 ms each way that `passes` decides upon. */
function town({
  transport,
  passes = () => true,
}: {
  transport?: Transport;
  passes?: (letter: Letter) => boolean;
} = {}) {
  const clock = createVirtualClock();
  const network = createMemoryNetwork({ clock, latency: 20 });
  const letters: Letter[] = [];

  function settle(id: string): Side {
    const log: string[] = [];
    const links: Link[] = [];
    const freed: string[] = [];
    const dialer = createDialer({
      transport: transport ?? network.transport,
      clock,
      self: () => id,
      send(kind, to, signal) {
        const letter = { from: id, kind, signal };
        letters.push(letter);
        if (passes(letter)) clock.after(10, () => sides[to]?.receive(kind, id, structuredClone(signal)));
      },
      sendOnLink: () => false,
      iceServers: () => [],
      isKnown: () => side.refusal !== "unknown-peer",
      onIncoming(peer) {
        if (side.refusal) dialer.refuse(peer, side.refusal);
        else if (!side.holds) dialer.accept(peer);
      },
      onOpen(peer, link, role) {
        links.push(link);
        log.push(`open to ${peer} as ${role}`);
        link.closed.then((reason) => log.push(`closed: ${reason?.code}`));
      },
      onFailed: (peer, error) => log.push(`failed to ${peer}: ${error.code}, ${error.message}`),
      onFree: (peer) => freed.push(peer),
    });
    const side: Side = { ...dialer, log, links, freed, refusal: undefined, holds: false };
    return side;
  }

  const sides: Record<string, Side> = {};
  const a = settle("a");
  const b = settle("b");
  Object.assign(sides, { a, b });
  return { clock, network, letters, a, b };
}

const ends = (letters: readonly Letter[]) =>
  letters.flatMap(({ from, signal: { end } }) => (end ? [`${from}: ${end}`] : []));

/** A transport whose links do only what a test does to them. */
function puppets() {
  const made: { role: string; link: Link; open(): void; end(reason?: BonevalueError): void }[] = [];
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
      made.push({ role, link, open, end });
      exchange.hear({ description: () => {}, candidate: () => {}, restart: () => {} });
      exchange.describe({ type: role === "caller" ? "offer" : "answer", sdp: "" });
      return link;
    },
  };
  return { transport, made };
}

test("a dial opens one link, the same for both", async () => {
  const { clock, network, a, b } = town();
  a.dial("b");
  await clock.advance(1_000);
  expect(a.log).toEqual(["open to b as caller"]);
  expect(b.log).toEqual(["open to a as callee"]);
  expect(network.size).toBe(2);
  expect(clock.waiting).toBe(0);
});

test("both dial at once: one link, and the smaller id is its caller", async () => {
  const { clock, network, a, b } = town();
  b.dial("a");
  a.dial("b");
  await clock.advance(1_000);
  expect(a.log).toEqual(["open to b as caller"]);
  expect(b.log).toEqual(["open to a as callee"]);
  expect(network.size).toBe(2);
});

test("a dial gets through a relay that loses every other signal", async () => {
  let count = 0;
  const { clock, a, b } = town({ passes: () => count++ % 2 === 1 });
  a.dial("b");
  await clock.advance(15_000);
  expect([a.log, b.log]).toEqual([["open to b as caller"], ["open to a as callee"]]);
});

test("what was lost while the server was away is said at once when it is back", async () => {
  let away = true;
  const { clock, a } = town({ passes: () => !away });
  a.dial("b");
  await clock.advance(500);
  away = false;
  a.resendAll();
  await clock.advance(100);
  expect(a.log).toEqual(["open to b as caller"]);
});

test("a dial that nobody answers fails after 15 s, and says so to both", async () => {
  const { clock, network, letters, a } = town({ passes: () => false });
  a.dial("b");
  await clock.advance(14_999);
  expect(a.log).toEqual([]);
  await clock.advance(1);
  expect(a.log).toEqual([expect.stringMatching(/^failed to b: link-failed, .* did not answer within 15 s/)]);
  expect(ends(letters)).toEqual(["a: timeout"]);
  expect([network.size, clock.waiting]).toEqual([0, 0]);
});

test("a dial that is answered and finds no path fails with what the transport knows", async () => {
  const { clock, a } = town({ transport: puppets().transport });
  a.dial("b");
  await clock.advance(15_000);
  expect(a.log).toEqual([expect.stringMatching(/^failed to b: link-failed, .*There was no relay candidate/)]);
});

test("a dial whose transport fails ends with the transport's reason", async () => {
  const { transport, made } = puppets();
  const { clock, letters, a } = town({ transport });
  a.dial("b");
  made[0]?.end(new BonevalueError("unsupported", "No WebRTC here."));
  await clock.advance(100);
  expect(a.log).toEqual(["failed to b: unsupported, No WebRTC here."]);
  expect(ends(letters)).toContain("a: unsupported");
});

test.each(["caller", "callee"])(
  "a transport that throws on the %s's side ends that dial, and not the next",
  async (whose) => {
    const thrown = new TypeError("no such device");
    let throws = true;
    const transport: Transport = {
      open(peer, role, exchange) {
        if (throws && role === whose) throw thrown;
        return network.transport.open(peer, role, exchange);
      },
    };
    const { clock, network, a, b } = town({ transport });
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

test("where the peer's time is up first, the reason is what we know of the path", async () => {
  const { transport } = puppets();
  const { clock, a } = town({ transport });
  a.dial("b");
  await clock.advance(100);
  a.receive("peerResponse", "b", { attempt: 1, round: 0, end: "timeout" });
  expect(a.log).toEqual([expect.stringMatching(/^failed to b: link-failed, .*There was no relay candidate/)]);
});

test("a link that breaks while it is being made is tried again, and again, for as long as a dial may take", async () => {
  const { transport, made } = puppets();
  const { clock, a } = town({ transport });
  a.dial("b");
  const lost = new BonevalueError("disconnected", "The handshake was lost.");
  for (let attempt = 1; attempt <= 3; attempt++) {
    const callers = made.filter(({ role }) => role === "caller");
    expect(callers).toHaveLength(attempt);
    callers.at(-1)?.end(lost);
    await clock.advance(100);
  }
  expect(a.log).toEqual([]);
  made.findLast(({ role }) => role === "caller")?.open();
  await clock.advance(100);
  expect(a.log).toEqual(["open to b as caller"]);
});

test("a dial whose links all break fails in the end with what broke the last", async () => {
  const { transport, made } = puppets();
  const breaking: Transport = {
    open(...args) {
      const link = transport.open(...args);
      made.at(-1)?.end(new BonevalueError("disconnected", "The handshake was lost."));
      return link;
    },
  };
  const { clock, a } = town({ transport: breaking });
  a.dial("b");
  await clock.advance(15_000);
  expect(a.log).toEqual(["failed to b: disconnected, The handshake was lost."]);
  expect(clock.waiting).toBe(0);
});

test("a dial whose time is up between two breaks says what broke, and does not speak of paths", async () => {
  const { transport, made } = puppets();
  const pathless: Transport = {
    open(...args) {
      const link = { ...transport.open(...args), trouble: () => undefined };
      const { end } = made.at(-1)!;
      clock.after(1_000, () => end(new BonevalueError("disconnected", "The handshake was lost.")));
      return link;
    },
  };
  const { clock, a } = town({ transport: pathless });
  a.dial("b");
  await clock.advance(20_000);
  expect(a.log).toEqual(["failed to b: disconnected, The handshake was lost."]);
});

test("a dial that is refused fails with the code it was refused with", async () => {
  const { clock, network, a, b } = town();
  b.refusal = "busy";
  a.dial("b");
  await clock.advance(1_000);
  expect(a.log).toEqual([expect.stringMatching(/^failed to b: busy, .*Try again/)]);
  expect(b.log).toEqual([]);
  expect([network.size, clock.waiting]).toEqual([0, 0]);
});

test("an attempt waits until it is accepted, and then gets all that the peer has sent meanwhile", async () => {
  const { clock, a, b } = town();
  b.holds = true;
  a.dial("b");
  await clock.advance(5_000);
  expect([a.log, b.log]).toEqual([[], []]);
  b.accept("a");
  await clock.advance(1_000);
  expect([a.log, b.log]).toEqual([["open to b as caller"], ["open to a as callee"]]);
});

test("an attempt that is neither accepted nor refused ends with busy, before the peer's time is up", async () => {
  const { clock, network, a, b } = town();
  b.holds = true;
  a.dial("b");
  await clock.advance(10_100);
  expect(a.log).toEqual([expect.stringMatching(/^failed to b: busy/)]);
  expect([network.size, clock.waiting]).toEqual([0, 0]);
  expect([a.freed, b.freed]).toEqual([["b"], ["a"]]);
});

test("a peer is free once no link, no attempt and no dial of it is left", async () => {
  const { clock, network, a, b } = town();
  a.dial("b");
  await clock.advance(1_000);
  a.links[0]?.close();
  await clock.advance(1_000);
  expect([a.freed, b.freed]).toEqual([["b"], ["a"]]);
  // The dial that has lost goes on while the peer's attempt does.
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

test("a dial to a peer that the server cannot reach fails at once, and an open link does not care", async () => {
  const { clock, a } = town();
  a.onUnreachable("b");
  a.dial("b");
  a.onUnreachable("b");
  expect(a.log).toEqual([expect.stringMatching(/^failed to b: unknown-peer/)]);
  a.dial("b");
  await clock.advance(1_000);
  a.onUnreachable("b");
  await clock.advance(1_000);
  expect(a.log.slice(1)).toEqual(["open to b as caller"]);
});

test("a peer that has lost its link and dials anew gets a new one, after the old has ended", async () => {
  const { clock, network, a, b } = town();
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

test("a link that has just closed can be dialed again in the same breath", async () => {
  const { clock, a } = town();
  a.dial("b");
  await clock.advance(1_000);
  a.links[0]?.close();
  a.dial("b");
  await clock.advance(1_000);
  expect(a.log).toEqual(["open to b as caller", "closed: undefined", "open to b as caller"]);
});

test("a dial that joined the peer's attempt goes on by itself when the peer gives up", async () => {
  const { clock, network, a, b } = town();
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

test("dropping an attempt ends it on both sides and is not told as a failure", async () => {
  const { clock, network, letters, a, b } = town();
  a.dial("b");
  await clock.advance(5);
  a.forget("b");
  await clock.advance(1_000);
  // The others answer what was on its way from b: its description, and its candidate.
  expect(ends(letters)).toEqual(["a: cancelled", "a: disconnected", "a: disconnected"]);
  expect([a.log, b.log]).toEqual([[], []]);
  expect([network.size, clock.waiting]).toEqual([0, 0]);
});

test("stopping ends every attempt; an open link is for its holder to close, and nothing else is left behind", async () => {
  const { clock, network, letters, a, b } = town();
  a.dial("b");
  await clock.advance(1_000);
  a.dial("nobody");
  a.stop();
  await clock.advance(1_000);
  expect(ends(letters)).toEqual(["a: cancelled"]);
  expect([a.log, b.log]).toEqual([["open to b as caller"], ["open to a as callee"]]);
  a.links[0]?.close(new BonevalueError("cancelled", "The spec is done with it."));
  await clock.advance(1_000);
  expect([a.log.at(-1), b.log.at(-1)]).toEqual(["closed: cancelled", "closed: disconnected"]);
  expect([network.size, clock.waiting]).toEqual([0, 0]);
});

test("a peer that dials again and again holds one attempt, which ends by itself", async () => {
  const { clock, network, a } = town();
  for (let attempt = 1; attempt <= 1_000; attempt++) {
    a.receive("peerRequest", "b", { attempt, round: 0, description: { type: "offer", sdp: "nowhere" } });
  }
  expect(network.size).toBe(1);
  await clock.advance(60_000);
  expect(network.size).toBe(0);
  expect(a.log).toEqual([]);
});

test("a peer that begins attempts in a loop gets ten connections in a second, and is heard again in the next", async () => {
  const { transport, made } = puppets();
  const { clock, a } = town({ transport, passes: () => false });
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

test("attempts that come to links take nothing of the budget: a peer that keeps none open calls as often as it likes", async () => {
  const { transport, made } = puppets();
  const { clock, a } = town({ transport, passes: () => false });
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

test("no signal, however malformed, throws or answers with anything but an end", () => {
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
      const { network, letters, a } = town();
      for (const [kind, signal] of hostile) a.receive(kind, "b", signal);
      expect(network.size).toBeLessThanOrEqual(1);
      expect(letters.every(({ signal }) => signal.end !== undefined)).toBe(true);
    }),
  );
});

test("what comes over an open link is heard only where it is about that link", async () => {
  const { clock, letters, network, a, b } = town();
  a.dial("b");
  await clock.advance(5_000);
  const said = letters.length;
  for (const strange of ["junk", { attempt: 7, round: 0 }, { attempt: 1, round: 0, end: "cancelled" }]) {
    b.receiveOnLink("a", strange);
    b.receiveOnLink("c", strange);
  }
  await clock.advance(20_000);
  expect(letters).toHaveLength(said);
  expect(b.log).toEqual(["open to a as callee"]);
  expect(network.size).toBe(2);
});

test("who gives up a link that has fallen silent says so, since the link cannot", async () => {
  const { clock, letters, network, a, b } = town();
  a.dial("b");
  await clock.advance(5_000);
  network.partition("a", "b");
  a.setSilent("b", true);
  a.links[0]?.close(new BonevalueError("disconnected", "Nothing arrives."));
  await clock.advance(100);
  expect(ends(letters)).toEqual(["a: disconnected"]);
  expect(b.log).toEqual(["open to a as callee", "closed: disconnected"]);
});

test("who comes back asks about its open links, and learns which of them the other side has given up", async () => {
  const { clock, letters, network, a, b } = town();
  a.dial("b");
  await clock.advance(5_000);
  network.partition("a", "b");
  b.forget("a");
  const before = letters.length;
  a.resendAll();
  await clock.advance(100);
  expect(letters.slice(before).map(({ from, signal }) => [from, signal])).toEqual([
    ["a", { attempt: 1, round: 0 }],
    ["b", { attempt: 1, round: 0, end: "disconnected" }],
  ]);
  expect(a.log).toEqual(["open to b as caller", "closed: disconnected"]);
});

test("a link that both sides have is not disturbed by the question, whoever asks", async () => {
  const { clock, letters, a, b } = town();
  a.dial("b");
  await clock.advance(5_000);
  const before = letters.length;
  a.resendAll();
  b.resendAll();
  await clock.advance(20_000);
  expect(letters).toHaveLength(before + 2);
  expect([a.log, b.log]).toEqual([["open to b as caller"], ["open to a as callee"]]);
});

test("a restart offered to who knows nothing of the link any more ends it, and does not begin another", async () => {
  const { clock, network, a, b } = town();
  a.dial("b");
  await clock.advance(5_000);
  network.partition("a", "b");
  b.forget("a");
  b.receive("peerRequest", "a", { attempt: 1, round: 1, description: { type: "offer", sdp: "" } });
  await clock.advance(100);
  expect(a.log).toEqual(["open to b as caller", "closed: disconnected"]);
  expect(b.log).toEqual(["open to a as callee"]);
});

test("senders that are not in our list are answered, and nothing is kept of them", async () => {
  const { clock, letters, a } = town();
  a.refusal = "unknown-peer";
  for (const [index, kind] of (["peerRequest", "peerResponse"] as const).entries()) {
    for (const signal of [{ end: "busy" }, { candidates: [] }, {}]) {
      a.receive(kind, `invented ${index}`, { attempt: 7, round: 0, ...signal });
      a.receive(kind, `invented ${index}`, { attempt: 3, round: 0, ...signal });
    }
  }
  await clock.advance(100);
  // Where the higher attempt was remembered, nothing is said to the lower.
  const answered = (attempt: number) => ends(letters.filter(({ signal }) => signal.attempt === attempt));
  expect(answered(7)).toHaveLength(4);
  expect(answered(3)).toEqual(answered(7));
});

test("what a peer of our list said is remembered while there is no link", async () => {
  const { clock, letters, a } = town();
  a.receive("peerRequest", "b", { attempt: 7, round: 0, end: "busy" });
  a.receive("peerRequest", "b", { attempt: 3, round: 0, candidates: [] });
  await clock.advance(100);
  expect(letters).toEqual([]);
});
