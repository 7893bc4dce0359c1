import * as v from "valibot";
import { expect, test } from "vitest";
import { fc, runs } from "../../tools/property.ts";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import type { Candidate, SignalListener } from "../transport/transport.ts";
import type { Role } from "./dial-state.ts";
import { createSignaling, maxCandidates, type Signal, signal } from "./signaling.ts";

const offer = { type: "offer", sdp: "an offer" };
const answer = { type: "answer", sdp: "an answer" };
const candidate = (name: string): Candidate => ({ candidate: name, sdpMid: "0" });

/** One side's signals, with a record of what they said and heard. */
function sideOf(role: Role) {
  const clock = createVirtualClock();
  const said: Signal[] = [];
  const heard: string[] = [];
  const signals = createSignaling({ role, attempt: 1, clock, send: (one) => said.push(one), iceServers: () => [] });
  const listener: SignalListener = {
    description: ({ sdp }) => heard.push(sdp),
    candidate: ({ candidate = "" }) => heard.push(candidate),
    restart: () => heard.push("restart"),
  };
  return { clock, said, heard, listener, ...signals, listen: () => signals.exchange.hear(listener) };
}

test("a description is said at once, with the candidates known by then", () => {
  const { exchange, said } = sideOf("caller");
  exchange.candidate(candidate("early"));
  exchange.describe(offer);
  expect(said).toEqual([{ attempt: 1, round: 0, description: offer, candidates: [candidate("early")] }]);
});

test("candidates that are found together travel together", async () => {
  const { exchange, said, clock } = sideOf("caller");
  exchange.describe(offer);
  for (const name of ["one", "two"]) exchange.candidate(candidate(name));
  await clock.advance(10);
  for (const name of ["three", "four"]) exchange.candidate(candidate(name));
  await clock.advance(50);
  expect(said.slice(1).map(({ candidates = [] }) => candidates.map(({ candidate }) => candidate))).toEqual([
    ["one", "two"],
    ["three", "four"],
  ]);
});

test("everything is said again every 2 s, until the link works", async () => {
  const { exchange, said, clock } = sideOf("caller");
  exchange.describe(offer);
  exchange.candidate(candidate("one"));
  await clock.advance(100);
  said.length = 0;
  await clock.advance(4_000);
  const all = { attempt: 1, round: 0, description: offer, candidates: [candidate("one")] };
  expect(said).toEqual([all, all]);
  exchange.settled();
  await clock.advance(60_000);
  expect(said).toHaveLength(2);
});

test("nothing is repeated for longer than an attempt may take", async () => {
  const { exchange, said, clock } = sideOf("caller");
  exchange.describe(offer);
  await clock.advance(600_000);
  expect(said).toHaveLength(9);
});

test("each thing is heard once, however often it arrives", () => {
  const { receive, heard, listen } = sideOf("callee");
  listen();
  const all = { attempt: 1, round: 0, description: offer, candidates: [candidate("one"), candidate("two")] };
  receive(all);
  receive({ ...all, candidates: [...all.candidates, candidate("three")] });
  expect(heard).toEqual(["an offer", "one", "two", "three"]);
});

test("candidates wait for their description", () => {
  const { receive, heard, listen } = sideOf("callee");
  listen();
  receive({ attempt: 1, round: 0, candidates: [candidate("one")] });
  expect(heard).toEqual([]);
  receive({ attempt: 1, round: 0, description: offer });
  expect(heard).toEqual(["an offer", "one"]);
});

test("what came before the transport listens is heard then", () => {
  const { receive, heard, listen } = sideOf("callee");
  receive({ attempt: 1, round: 0, description: offer, candidates: [candidate("one")] });
  listen();
  expect(heard).toEqual(["an offer", "one"]);
});

test("an offer that comes again is answered again at once, for the answer was lost", () => {
  const { receive, exchange, said, listen } = sideOf("callee");
  listen();
  receive({ attempt: 1, round: 0, description: offer });
  exchange.describe(answer);
  receive({ attempt: 1, round: 0, description: offer });
  expect(said.map(({ description }) => description)).toEqual([answer, answer]);
});

test("the caller's next description begins a round, and what speaks of an earlier one is ignored", () => {
  const { receive, exchange, said, heard, listen } = sideOf("caller");
  listen();
  exchange.describe(offer);
  receive({ attempt: 1, round: 0, description: answer, candidates: [candidate("old")] });
  exchange.describe({ ...offer, sdp: "again" });
  expect(said.at(-1)).toEqual({ attempt: 1, round: 1, description: { ...offer, sdp: "again" } });
  receive({ attempt: 1, round: 0, description: { ...answer, sdp: "late" }, candidates: [candidate("late")] });
  receive({ attempt: 1, round: 1, description: { ...answer, sdp: "anew" }, candidates: [candidate("new")] });
  expect(heard).toEqual(["an answer", "old", "anew", "new"]);
});

test("the callee follows the caller into its rounds, and answers the newest", () => {
  const { receive, exchange, said, listen } = sideOf("callee");
  listen();
  receive({ attempt: 1, round: 0, description: offer });
  receive({ attempt: 1, round: 3, description: offer });
  exchange.describe(answer);
  expect(said).toEqual([{ attempt: 1, round: 3, description: answer }]);
});

test("the callee asks for a restart by naming the next round, until it comes", async () => {
  const { receive, exchange, said, clock, listen } = sideOf("callee");
  listen();
  receive({ attempt: 1, round: 0, description: offer });
  exchange.describe(answer);
  exchange.settled();
  said.length = 0;
  exchange.restart();
  await clock.advance(2_000);
  const ask = { attempt: 1, round: 1 };
  expect(said.filter(({ round }) => round === 1)).toEqual([ask, ask]);
  receive({ attempt: 1, round: 1, description: offer });
  said.length = 0;
  await clock.advance(60_000);
  expect(said).toEqual([]);
});

test("the caller is told of the wish for a restart, and of no round that nobody may begin but it", () => {
  const { receive, exchange, heard, listen } = sideOf("caller");
  listen();
  exchange.describe(offer);
  receive({ attempt: 1, round: 1 });
  receive({ attempt: 1, round: 1, description: answer });
  receive({ attempt: 1, round: 2 });
  expect(heard).toEqual(["restart"]);
});

test("who says again and again that it has missed our part is told ten times a second: each costs it less than us", async () => {
  for (const [role, part, missed] of [
    ["caller", offer, {}],
    ["callee", answer, { description: offer }],
  ] as const) {
    const { exchange, receive, said, clock } = sideOf(role);
    exchange.describe(part);
    await clock.advance(500);
    said.length = 0;
    for (let time = 0; time < 1_000; time += 5) {
      for (let count = 0; count < 10; count++) receive({ attempt: 1, round: 0, ...missed });
      await clock.advance(5);
    }
    expect(said.length).toBeGreaterThan(5);
    expect(said.length).toBeLessThanOrEqual(12);
  }
});

test("a callee that asks for the round which has begun is told at once what it has missed", () => {
  const { receive, exchange, said } = sideOf("caller");
  exchange.describe(offer);
  exchange.describe(offer);
  said.length = 0;
  receive({ attempt: 1, round: 1 });
  expect(said).toEqual([{ attempt: 1, round: 1, description: offer }]);
  exchange.settled();
  receive({ attempt: 1, round: 1 });
  expect(said).toHaveLength(1);
});

/** How many rounds a side takes part in for the sake of another that wants a new one every 10 ms, `ms` long. */
async function roundsWanted(role: Role, ms: number): Promise<number> {
  const { receive, exchange, said, clock } = sideOf(role);
  let rounds = 0;
  const again = () => {
    rounds++;
    exchange.describe(offer);
  };
  exchange.hear({ description: again, candidate: () => {}, restart: again });
  if (role === "caller") exchange.describe(offer);
  for (let time = 0; time < ms; time += 10) {
    receive({ attempt: 1, round: (said.at(-1)?.round ?? 0) + 1, ...(role === "callee" && { description: offer }) });
    await clock.advance(10);
  }
  return rounds;
}

test.each(["caller", "callee"] as const)(
  "a %s spends five rounds in ten seconds on another side that wants no end of them",
  async (role) => {
    expect(await roundsWanted(role, 9_000)).toBe(5);
    expect(await roundsWanted(role, 59_000)).toBe(30);
  },
);

test("a callee that is refused a round has it when it asks again", async () => {
  const { receive, heard, clock, listen } = sideOf("caller");
  listen();
  for (let count = 0; count < 100; count++) receive({ attempt: 1, round: 1 });
  heard.length = 0;
  const { exchange, said, ...callee } = sideOf("callee");
  exchange.restart();
  for (let second = 0; second < 12; second++) {
    for (const ask of said.splice(0)) receive(ask);
    await Promise.all([clock.advance(1_000), callee.clock.advance(1_000)]);
  }
  expect(heard[0]).toBe("restart");
});

test("a caller whose round was refused is followed when it says it again, with all its candidates", async () => {
  const { receive, heard, clock, listen } = sideOf("callee");
  listen();
  for (let round = 1; round <= 100; round++) receive({ attempt: 1, round, candidates: [] });
  const { exchange, said, ...caller } = sideOf("caller");
  for (let round = 0; round <= 101; round++) exchange.describe({ ...offer, sdp: `round ${round}` });
  exchange.candidate(candidate("one"));
  for (let second = 0; second < 12; second++) {
    for (const one of said.splice(0)) if (one.round === 101) receive(one);
    await Promise.all([clock.advance(1_000), caller.clock.advance(1_000)]);
  }
  expect(heard).toEqual(["round 101", "one"]);
});

test("more candidates than a round may have are neither said nor kept", async () => {
  const { receive, exchange, said, heard, clock, listen } = sideOf("callee");
  listen();
  const many = Array.from({ length: 100 }, (_, index) => candidate(String(index)));
  receive({ attempt: 1, round: 0, description: offer });
  for (const one of many) receive({ attempt: 1, round: 0, candidates: [one] });
  expect(heard).toHaveLength(1 + maxCandidates);
  exchange.describe(answer);
  for (const one of many) exchange.candidate(one);
  await clock.advance(2_000);
  expect(said.at(-1)?.candidates).toHaveLength(maxCandidates);
});

test("after stop nothing is said, and no timer is left", async () => {
  const { exchange, said, clock, stop } = sideOf("caller");
  exchange.describe(offer);
  exchange.candidate(candidate("one"));
  stop();
  exchange.candidate(candidate("two"));
  exchange.describe(offer);
  expect(clock.waiting).toBe(0);
  expect(said).toHaveLength(1);
});

test("two sides understand each other whatever is lost, doubled or overtaken", async () => {
  const fates = fc.array(fc.constantFrom("lost", "slow", "doubled"), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(fates, async (first) => {
      const clock = createVirtualClock();
      const heard: Record<Role, string[]> = { caller: [], callee: [] };
      let count = 0;
      // The first signals meet their fates, later ones arrive.
      const relayTo = (role: Role) => (one: Signal) => {
        const fate = first[count++];
        if (fate === "lost") return;
        clock.after(fate === "slow" ? 150 : 1, () => sides[role].receive(one));
        if (fate === "doubled") clock.after(90, () => sides[role].receive(one));
      };
      const make = (role: Role, other: Role) =>
        createSignaling({ role, attempt: 1, clock, send: relayTo(other), iceServers: () => [] });
      const sides = { caller: make("caller", "callee"), callee: make("callee", "caller") };
      const speak = (role: Role, description: typeof offer) => {
        sides[role].exchange.describe(description);
        for (const name of ["1", "2", "3"]) {
          clock.after(20 * Number(name), () => sides[role].exchange.candidate(candidate(name)));
        }
      };
      for (const role of ["caller", "callee"] as const) {
        sides[role].exchange.hear({
          description({ sdp }) {
            heard[role].push(sdp);
            if (role === "callee") speak("callee", answer);
          },
          candidate: ({ candidate = "" }) => heard[role].push(candidate),
          restart: () => {},
        });
      }
      speak("caller", offer);
      await clock.advance(20_000);
      expect(heard.callee[0]).toBe("an offer");
      expect(heard.caller[0]).toBe("an answer");
      for (const role of ["caller", "callee"] as const) expect(heard[role].slice(1).sort()).toEqual(["1", "2", "3"]);
    }),
    { numRuns: runs(50) },
  );
});

const wellFormed = { attempt: 1, round: 0, description: offer, candidates: [candidate("one")] };

test("a signal from outside is taken when it is well formed, without what is not known", () => {
  expect(v.parse(signal, { ...wellFormed, extra: 1 })).toEqual(wellFormed);
  expect(v.is(signal, { attempt: 2, round: 0, end: "busy" })).toBe(true);
  expect(v.is(signal, { attempt: 2, round: 0, candidates: [{ candidate: "x", sdpMid: null, sdpMLineIndex: 0 }] })).toBe(
    true,
  );
});

test.each([
  ["nothing", undefined],
  ["a string", "signal"],
  ["no attempt", { round: 0 }],
  ["a fractional attempt", { ...wellFormed, attempt: 1.5 }],
  ["an attempt beyond what can be counted", { ...wellFormed, attempt: 2 ** 60 }],
  ["a negative round", { ...wellFormed, round: -1 }],
  ["a description of 17 KiB", { ...wellFormed, description: { type: "offer", sdp: "x".repeat(17_408) } }],
  ["33 candidates", { ...wellFormed, candidates: Array.from({ length: 33 }, () => candidate("one")) }],
  ["a candidate of 2 KiB", { ...wellFormed, candidates: [candidate("x".repeat(2_048))] }],
  ["a candidate that is a number", { ...wellFormed, candidates: [{ candidate: 5 }] }],
  ["an end that is an object", { ...wellFormed, end: {} }],
])("a signal from outside is refused: %s", (_, malformed) => {
  expect(v.is(signal, malformed)).toBe(false);
});
