import { describe, expect, test } from "vitest";
import { fc, runs } from "../../tools/property.ts";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import type { Candidate, SignalListener } from "../transport/transport.ts";
import type { Role } from "./dial-state.ts";
import { createSignaling, maxCandidates, readSignal, type Signal } from "./signaling.ts";

const offer = { type: "offer", sdp: "an offer" };
const answer = { type: "answer", sdp: "an answer" };
const candidate = (name: string): Candidate => ({ candidate: name, sdpMid: "0" });

/** One side's signaling, with a log of what it sends and passes on. */
function createSide(role: Role) {
  const clock = createVirtualClock();
  const sent: Signal[] = [];
  const received: string[] = [];
  const signals = createSignaling({
    ...{ role, attempt: 1, clock, send: (one) => sent.push(one) },
    iceServers: () => [],
    openRelay: () => undefined,
  });
  const listener: SignalListener = {
    description: ({ sdp }) => received.push(sdp),
    candidate: ({ candidate = "" }) => received.push(candidate),
    restart: () => received.push("restart"),
  };
  return { clock, sent, received, listener, ...signals, listen: () => signals.exchange.listen(listener) };
}

test("sends a description at once, with the candidates known by then", () => {
  const { exchange, sent } = createSide("caller");
  exchange.candidate(candidate("early"));
  exchange.describe(offer);
  expect(sent).toEqual([{ attempt: 1, round: 0, description: offer, candidates: [candidate("early")] }]);
});

test("sends candidates together that are found together", async () => {
  const { exchange, sent, clock } = createSide("caller");
  exchange.describe(offer);
  for (const name of ["one", "two"]) exchange.candidate(candidate(name));
  await clock.advance(10);
  for (const name of ["three", "four"]) exchange.candidate(candidate(name));
  await clock.advance(50);
  expect(sent.slice(1).map(({ candidates = [] }) => candidates.map(({ candidate }) => candidate))).toEqual([
    ["one", "two"],
    ["three", "four"],
  ]);
});

test("what is sent again includes the candidates that wait for a batch, and the next batch has only later ones", async () => {
  const { exchange, sent, clock, resend } = createSide("caller");
  exchange.describe(offer);
  exchange.candidate(candidate("one"));
  await clock.advance(10);
  exchange.candidate(candidate("two"));
  await clock.advance(20);
  sent.length = 0;
  resend();
  expect(sent).toEqual([{ attempt: 1, round: 0, description: offer, candidates: ["one", "two"].map(candidate) }]);
  exchange.candidate(candidate("three"));
  await clock.advance(49);
  expect(sent).toHaveLength(1);
  await clock.advance(1);
  expect(sent.slice(1)).toEqual([{ attempt: 1, round: 0, candidates: [candidate("three")] }]);
});

test("once the link works, nothing is left to send again", () => {
  const { exchange, sent, resend } = createSide("caller");
  exchange.describe(offer);
  exchange.settled();
  resend();
  expect(sent).toHaveLength(1);
});

test("repeats everything every 2 s until the link works", async () => {
  const { exchange, sent, clock } = createSide("caller");
  exchange.describe(offer);
  exchange.candidate(candidate("one"));
  await clock.advance(100);
  sent.length = 0;
  await clock.advance(4_000);
  const all = { attempt: 1, round: 0, description: offer, candidates: [candidate("one")] };
  expect(sent).toEqual([all, all]);
  exchange.settled();
  await clock.advance(60_000);
  expect(sent).toHaveLength(2);
});

test("repeats nothing for longer than an attempt may take", async () => {
  const { exchange, sent, clock } = createSide("caller");
  exchange.describe(offer);
  await clock.advance(600_000);
  expect(sent).toHaveLength(9);
});

test("passes on each description and candidate once, however often it arrives", () => {
  const { receive, received, listen } = createSide("callee");
  listen();
  const all = { attempt: 1, round: 0, description: offer, candidates: [candidate("one"), candidate("two")] };
  receive(all);
  receive({ ...all, candidates: [...all.candidates, candidate("three")] });
  expect(received).toEqual(["an offer", "one", "two", "three"]);
});

test("passes on candidates after their description", () => {
  const { receive, received, listen } = createSide("callee");
  listen();
  receive({ attempt: 1, round: 0, candidates: [candidate("one")] });
  expect(received).toEqual([]);
  receive({ attempt: 1, round: 0, description: offer });
  expect(received).toEqual(["an offer", "one"]);
});

test("passes on what came before the transport listens", () => {
  const { receive, received, listen } = createSide("callee");
  receive({ attempt: 1, round: 0, description: offer, candidates: [candidate("one")] });
  listen();
  expect(received).toEqual(["an offer", "one"]);
});

test("answers a repeated offer at once: the answer was lost", () => {
  const { receive, exchange, sent, listen } = createSide("callee");
  listen();
  receive({ attempt: 1, round: 0, description: offer });
  exchange.describe(answer);
  receive({ attempt: 1, round: 0, description: offer });
  expect(sent.map(({ description }) => description)).toEqual([answer, answer]);
});

test("the caller's next description begins a generation, and signals of an earlier one are ignored", () => {
  const { receive, exchange, sent, received, listen } = createSide("caller");
  listen();
  exchange.describe(offer);
  receive({ attempt: 1, round: 0, description: answer, candidates: [candidate("old")] });
  exchange.describe({ ...offer, sdp: "again" });
  expect(sent.at(-1)).toEqual({ attempt: 1, round: 1, description: { ...offer, sdp: "again" } });
  receive({ attempt: 1, round: 0, description: { ...answer, sdp: "late" }, candidates: [candidate("late")] });
  receive({ attempt: 1, round: 1, description: { ...answer, sdp: "newer" }, candidates: [candidate("new")] });
  expect(received).toEqual(["an answer", "old", "newer", "new"]);
});

test("the callee answers the caller's newest generation", () => {
  const { receive, exchange, sent, listen } = createSide("callee");
  listen();
  receive({ attempt: 1, round: 0, description: offer });
  receive({ attempt: 1, round: 3, description: offer });
  exchange.describe(answer);
  expect(sent).toEqual([{ attempt: 1, round: 3, description: answer }]);
});

test("a callee sends nothing of a new generation before it has described itself", async () => {
  const { receive, exchange, sent, clock } = createSide("callee");
  receive({ attempt: 1, round: 0, description: offer });
  exchange.describe(answer);
  exchange.settled();
  exchange.candidate(candidate("old"));
  sent.length = 0;
  receive({ attempt: 1, round: 1, description: offer });
  await clock.advance(100);
  exchange.candidate(candidate("new"));
  await clock.advance(100);
  expect(sent).toEqual([]);
  exchange.describe(answer);
  expect(sent).toEqual([{ attempt: 1, round: 1, description: answer, candidates: [candidate("new")] }]);
});

test("only the caller begins a generation: a callee that describes itself again stays in its own", () => {
  const { receive, exchange, sent } = createSide("callee");
  receive({ attempt: 1, round: 0, description: offer });
  exchange.describe(answer);
  exchange.describe(answer);
  expect(sent.map(({ round }) => round)).toEqual([0, 0]);
});

test("an answer and its candidates do not make the caller send its offer again", () => {
  const { receive, exchange, sent } = createSide("caller");
  exchange.describe(offer);
  receive({ attempt: 1, round: 0, description: answer });
  receive({ attempt: 1, round: 0, candidates: [candidate("one")] });
  receive({ attempt: 1, round: 0, description: answer, candidates: [candidate("one")] });
  expect(sent).toHaveLength(1);
});

test("the callee asks for a restart with the number of the next generation, until it begins", async () => {
  const { receive, exchange, sent, clock, listen } = createSide("callee");
  listen();
  receive({ attempt: 1, round: 0, description: offer });
  exchange.describe(answer);
  exchange.settled();
  sent.length = 0;
  exchange.restart();
  await clock.advance(2_000);
  const ask = { attempt: 1, round: 1 };
  expect(sent.filter(({ round }) => round === 1)).toEqual([ask, ask]);
  receive({ attempt: 1, round: 1, description: offer });
  sent.length = 0;
  await clock.advance(60_000);
  expect(sent).toEqual([]);
  exchange.describe(answer);
  expect(sent).toEqual([{ attempt: 1, round: 1, description: answer }]);
});

test("the caller is asked for a restart by a request for the next generation, and by nothing else", () => {
  const { receive, exchange, received, listen } = createSide("caller");
  listen();
  exchange.describe(offer);
  receive({ attempt: 1, round: 1 });
  receive({ attempt: 1, round: 1, description: answer });
  receive({ attempt: 1, round: 2 });
  expect(received).toEqual(["restart"]);
});

test("the caller asks for no restart: it begins the next generation itself", async () => {
  const { exchange, sent, clock } = createSide("caller");
  exchange.describe(offer);
  exchange.settled();
  sent.length = 0;
  exchange.restart();
  await clock.advance(10_000);
  expect(sent).toEqual([]);
});

test("a peer that keeps asking for our part gets it ten times a second", async () => {
  for (const [role, part, missed] of [
    ["caller", offer, {}],
    ["callee", answer, { description: offer }],
  ] as const) {
    const { exchange, receive, sent, clock } = createSide(role);
    exchange.describe(part);
    await clock.advance(500);
    sent.length = 0;
    for (let time = 0; time < 1_000; time += 5) {
      for (let count = 0; count < 10; count++) receive({ attempt: 1, round: 0, ...missed });
      await clock.advance(5);
    }
    expect(sent.length).toBeGreaterThan(5);
    expect(sent.length).toBeLessThanOrEqual(12);
  }
});

test("a callee that asks for the present generation gets it at once", () => {
  const { receive, exchange, sent } = createSide("caller");
  exchange.describe(offer);
  exchange.describe(offer);
  sent.length = 0;
  receive({ attempt: 1, round: 1 });
  expect(sent).toEqual([{ attempt: 1, round: 1, description: offer }]);
  exchange.settled();
  receive({ attempt: 1, round: 1 });
  expect(sent).toHaveLength(1);
});

/** How many generations a side takes part in within `ms`, if its peer begins or requests one every 10 ms. */
async function generationsWithin(role: Role, ms: number): Promise<number> {
  const { receive, exchange, sent, clock } = createSide(role);
  let rounds = 0;
  const again = () => {
    rounds++;
    exchange.describe(offer);
  };
  exchange.listen({ description: again, candidate: () => {}, restart: again });
  if (role === "caller") exchange.describe(offer);
  for (let time = 0; time < ms; time += 10) {
    receive({ attempt: 1, round: (sent.at(-1)?.round ?? 0) + 1, ...(role === "callee" && { description: offer }) });
    await clock.advance(10);
  }
  return rounds;
}

test.each(["caller", "callee"] as const)(
  "a %s takes part in five generations in ten seconds with a peer that keeps beginning or requesting them",
  async (role) => {
    expect(await generationsWithin(role, 9_000)).toBe(5);
    expect(await generationsWithin(role, 59_000)).toBe(30);
  },
);

test("a callee whose request for a generation was ignored gets it by a repeat", async () => {
  const { receive, received, clock, listen } = createSide("caller");
  listen();
  for (let count = 0; count < 100; count++) receive({ attempt: 1, round: 1 });
  received.length = 0;
  const { exchange, sent, ...callee } = createSide("callee");
  exchange.restart();
  for (let second = 0; second < 12; second++) {
    for (const ask of sent.splice(0)) receive(ask);
    await Promise.all([clock.advance(1_000), callee.clock.advance(1_000)]);
  }
  expect(received[0]).toBe("restart");
});

test("a generation that was ignored is read when the caller repeats it, with all its candidates", async () => {
  const { receive, received, clock, listen } = createSide("callee");
  listen();
  for (let round = 1; round <= 100; round++) receive({ attempt: 1, round, candidates: [] });
  const { exchange, sent, ...caller } = createSide("caller");
  for (let round = 0; round <= 101; round++) exchange.describe({ ...offer, sdp: `round ${round}` });
  exchange.candidate(candidate("one"));
  for (let second = 0; second < 12; second++) {
    for (const one of sent.splice(0)) if (one.round === 101) receive(one);
    await Promise.all([clock.advance(1_000), caller.clock.advance(1_000)]);
  }
  expect(received).toEqual(["round 101", "one"]);
});

test("candidates beyond the limit of a generation are neither sent nor passed on", async () => {
  const { receive, exchange, sent, received, clock, listen } = createSide("callee");
  listen();
  const many = Array.from({ length: 100 }, (_, index) => candidate(String(index)));
  receive({ attempt: 1, round: 0, description: offer });
  for (const one of many) receive({ attempt: 1, round: 0, candidates: [one] });
  expect(received).toHaveLength(1 + maxCandidates);
  exchange.describe(answer);
  for (const one of many) exchange.candidate(one);
  await clock.advance(2_000);
  expect(sent.at(-1)?.candidates).toHaveLength(maxCandidates);
});

test("after stop nothing is sent or passed on, and no timer is left", async () => {
  const { exchange, sent, received, clock, listen, receive, stop } = createSide("caller");
  listen();
  exchange.describe(offer);
  exchange.candidate(candidate("one"));
  stop();
  exchange.candidate(candidate("two"));
  exchange.describe(offer);
  receive({ attempt: 1, round: 0, description: answer });
  expect(clock.waiting).toBe(0);
  expect(sent).toHaveLength(1);
  expect(received).toEqual([]);
});

test("after stop a callee asks for no restart", () => {
  const { exchange, sent, clock, stop } = createSide("callee");
  stop();
  exchange.restart();
  expect(sent).toEqual([]);
  expect(clock.waiting).toBe(0);
});

test("a candidate that is found again is not sent again", async () => {
  const { exchange, sent, clock } = createSide("caller");
  exchange.describe(offer);
  for (let found = 0; found < 2; found++) {
    exchange.candidate(candidate("one"));
    await clock.advance(100);
  }
  expect(sent).toHaveLength(2);
});

test("a request for the next generation that comes before the transport listens is ignored", () => {
  const { exchange, sent, received, listen, receive } = createSide("caller");
  exchange.describe(offer);
  receive({ attempt: 1, round: 1 });
  listen();
  expect([sent.length, received]).toEqual([1, []]);
});

test("both sides get each part once, whatever is lost, doubled or reordered", async () => {
  const fates = fc.array(fc.constantFrom("lost", "slow", "doubled"), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(fates, async (first) => {
      const clock = createVirtualClock();
      const received: Record<Role, string[]> = { caller: [], callee: [] };
      let count = 0;
      // Only the first signals are lost, delayed or doubled.
      const relayTo = (role: Role) => (one: Signal) => {
        const fate = first[count++];
        if (fate === "lost") return;
        clock.after(fate === "slow" ? 150 : 1, () => sides[role].receive(one));
        if (fate === "doubled") clock.after(90, () => sides[role].receive(one));
      };
      const make = (role: Role, other: Role) =>
        createSignaling({
          ...{ role, attempt: 1, clock, send: relayTo(other) },
          iceServers: () => [],
          openRelay: () => undefined,
        });
      const sides = { caller: make("caller", "callee"), callee: make("callee", "caller") };
      const describe = (role: Role, description: typeof offer) => {
        sides[role].exchange.describe(description);
        for (const name of ["1", "2", "3"]) {
          clock.after(20 * Number(name), () => sides[role].exchange.candidate(candidate(name)));
        }
      };
      for (const role of ["caller", "callee"] as const) {
        sides[role].exchange.listen({
          description({ sdp }) {
            received[role].push(sdp);
            if (role === "callee") describe("callee", answer);
          },
          candidate: ({ candidate = "" }) => received[role].push(candidate),
          restart: () => {},
        });
      }
      describe("caller", offer);
      await clock.advance(20_000);
      expect(received.callee[0]).toBe("an offer");
      expect(received.caller[0]).toBe("an answer");
      for (const role of ["caller", "callee"] as const) expect(received[role].slice(1).sort()).toEqual(["1", "2", "3"]);
    }),
    { numRuns: runs(50) },
  );
});

const wellFormed = { attempt: 1, round: 0, description: offer, candidates: [candidate("one")] };

test("a well-formed signal is accepted without its unknown fields", () => {
  expect(readSignal({ ...wellFormed, extra: 1 })).toEqual(wellFormed);
  expect(readSignal({ attempt: 2, round: 0, end: "busy" })).toBeDefined();
  const candidates = [{ candidate: "x", sdpMid: null, sdpMLineIndex: 0 }];
  expect(readSignal({ attempt: 2, round: 0, candidates })).toBeDefined();
});

test("a signal may be as large as its limits allow", () => {
  const most = {
    ...wellFormed,
    description: { type: "offer", sdp: "x".repeat(16_284), proof: "p".repeat(100) },
    candidates: Array.from({ length: maxCandidates }, (_, index) => candidate(String(index))),
  };
  expect(readSignal(most)).toEqual(most);
});

test.each([
  ["nothing", undefined],
  ["a string", "signal"],
  ["no attempt", { round: 0 }],
  ["a fractional attempt", { ...wellFormed, attempt: 1.5 }],
  ["an attempt beyond the safe integers", { ...wellFormed, attempt: 2 ** 60 }],
  ["a negative round", { ...wellFormed, round: -1 }],
  [
    "a description and a proof that are together larger than 16 KiB",
    { ...wellFormed, description: { type: "offer", sdp: "x".repeat(16_284), proof: "p".repeat(101) } },
  ],
  ["a description of 17 KiB", { ...wellFormed, description: { type: "offer", sdp: "x".repeat(17_408) } }],
  ["33 candidates", { ...wellFormed, candidates: Array.from({ length: 33 }, () => candidate("one")) }],
  ["a candidate of 2 KiB", { ...wellFormed, candidates: [candidate("x".repeat(2_048))] }],
  ["33 candidates that are no list", { ...wellFormed, candidates: { length: 33 } }],
  ["a candidate that is a number", { ...wellFormed, candidates: [{ candidate: 5 }] }],
  ["an end that is an object", { ...wellFormed, end: {} }],
])("a malformed signal is rejected: %s", (_, malformed) => {
  expect(readSignal(malformed)).toBeUndefined();
});

describe("the descriptions of a relayed link", () => {
  const keyOf = (publicKey: string) => ({ algorithm: "P-256", publicKey });

  function createRelaySide(role: Role) {
    const clock = createVirtualClock();
    const sent: Signal[] = [];
    const received: string[] = [];
    const openRelay = () => async () => undefined;
    const send = (one: Signal) => sent.push(one);
    const signals = createSignaling({ role, attempt: 1, clock, send, iceServers: () => [], openRelay });
    const { relay } = signals.exchange;
    return {
      ...signals,
      signals,
      clock,
      sent,
      relay: relay!,
      received,
      listen: () => relay!.remote.then(({ publicKey }) => received.push(publicKey)),
    };
  }

  test("are sent at once in signals of their own, and repeated until the link works", async () => {
    const { exchange, relay, sent, clock } = createRelaySide("caller");
    exchange.describe(offer);
    relay.describe(keyOf("A"));
    expect(sent.at(-1)).toEqual({ attempt: 1, round: 0, relay: keyOf("A") });
    sent.length = 0;
    await clock.advance(2_000);
    expect(sent).toEqual([
      { attempt: 1, round: 0, description: offer },
      { attempt: 1, round: 0, relay: keyOf("A") },
    ]);
    exchange.settled();
    await clock.advance(60_000);
    expect(sent).toHaveLength(2);
  });

  test("are received once, also by a listener that is set later", async () => {
    const { receive, received, listen } = createRelaySide("callee");
    receive({ attempt: 1, round: 0, relay: keyOf("A") });
    listen();
    receive({ attempt: 1, round: 0, relay: keyOf("A") });
    receive({ attempt: 1, round: 0, relay: keyOf("B") });
    await undefined;
    expect(received).toEqual(["A"]);
  });

  test("show that the peer has answered", () => {
    const { signals, receive } = createRelaySide("caller");
    expect(signals.answered).toBe(false);
    receive({ attempt: 1, round: 0, relay: keyOf("A") });
    expect(signals.answered).toBe(true);
  });

  test("are passed on at once to a listener that is set already", async () => {
    const { receive, received, listen } = createRelaySide("callee");
    listen();
    receive({ attempt: 1, round: 0, relay: keyOf("A") });
    await undefined;
    expect(received).toEqual(["A"]);
  });

  test("are answered again at once when the caller has missed the answer", async () => {
    const { receive, relay, sent, clock } = createRelaySide("callee");
    receive({ attempt: 1, round: 0, relay: keyOf("A") });
    relay.describe(keyOf("B"));
    await clock.advance(500);
    sent.length = 0;
    receive({ attempt: 1, round: 0, relay: keyOf("A") });
    expect(sent).toEqual([{ attempt: 1, round: 0, relay: keyOf("B") }]);
  });

  test("are not sent again when the callee repeats its own, which is the answer", async () => {
    const { receive, relay, sent, clock } = createRelaySide("caller");
    relay.describe(keyOf("A"));
    await clock.advance(500);
    for (let count = 0; count < 2; count++) receive({ attempt: 1, round: 0, relay: keyOf("B") });
    expect(sent).toHaveLength(1);
  });

  test("are not sent with a request for a restart that the link no longer needs", () => {
    const { exchange, receive, relay, sent } = createRelaySide("callee");
    receive({ attempt: 1, round: 0, description: offer });
    exchange.restart();
    exchange.settled();
    sent.length = 0;
    relay.describe(keyOf("A"));
    expect(sent).toEqual([{ attempt: 1, round: 0, relay: keyOf("A") }]);
  });

  test("are not sent after stop", () => {
    const { relay, sent, stop, clock } = createRelaySide("caller");
    stop();
    relay.describe(keyOf("A"));
    expect(sent).toEqual([]);
    expect(clock.waiting).toBe(0);
  });

  test("do not exist where discovery has no relay", () => {
    expect(createSide("caller").exchange.relay).toBeUndefined();
  });

  test("are bounded, and lose unknown fields", () => {
    const read = (relay: object) => readSignal({ attempt: 1, round: 0, relay })?.relay;
    expect(read({ ...keyOf("A"), proof: "B", more: 1 })).toEqual({ ...keyOf("A"), proof: "B" });
    expect(read(keyOf("A".repeat(257)))).toBeUndefined();
    expect(read({ ...keyOf("A"), algorithm: "x".repeat(17) })).toBeUndefined();
    expect(read({ ...keyOf("A"), proof: "x".repeat(4_097) })).toBeUndefined();
  });
});
