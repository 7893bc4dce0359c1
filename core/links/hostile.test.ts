import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test, vi } from "vitest";
import { baseSeed, createDice, runs } from "../../tools/property.ts";
import { encode } from "../wire/codec.ts";
import { CloseStep, type Frame, Kind } from "../wire/frames.ts";
import { type Packed, pack } from "../wire/pack.ts";
import { createHostileSetup, type HostilePeer } from "./testing/hostile-link.ts";

const frames = runs(30_000);
const mebibyte = 1_024 * 1_024;
const limits = { messageSize: 10_000, bytesPerPeer: 40_000, requestsPerPeer: 8, streamsPerPeer: 8, depth: 16 };

/** Packs a value with streams of these ids. */
function value(plain: unknown, ...streams: readonly number[]): Packed {
  const left = [...streams];
  const attach = (source: object) =>
    source instanceof ReadableStream ? ({ kind: "stream", detail: left.shift() } as const) : undefined;
  const whole = streams.length > 0 ? [plain, ...streams.map(() => new ReadableStream())] : plain;
  return pack(whole, { name: "value", code: "invalid-request", depth: 64, size: 10 * mebibyte, attach });
}

/** Every kind of frame with small ids, so that some match open calls and streams. */
function wellFormed(): readonly Uint8Array[] {
  const golden: Record<string, { hex: string }> = JSON.parse(
    readFileSync(new URL("../wire/golden.json", import.meta.url), "utf8"),
  );
  const samples: Frame<Packed>[] = [];
  for (let id = 1; id <= 4; id++) {
    for (const name of ["Echo", "Never", "Count", "Read", "None"]) {
      samples.push([Kind.call, id, name, value({ text: "hello" }), 5_000]);
      samples.push([Kind.call, id + 4, name, value(1, id, id + 4), null]);
      samples.push([Kind.notify, 0, name, value("hello", id)]);
    }
    samples.push([Kind.answer, id, value(1n)], [Kind.answer, id, value(1, id)], [Kind.fail, id, "busy", "", value(1)]);
    samples.push([Kind.cancel, id, "cancelled"], [Kind.stop, id, "cancelled"], [Kind.credit, id, 0, 10_000]);
    samples.push([Kind.item, id, value(new Uint8Array(50))], [Kind.end, id], [Kind.end, id, "busy", ""]);
    samples.push([Kind.part, id, 8, new Uint8Array(8)], [Kind.part, id, 9_000, new Uint8Array(900)]);
    samples.push([Kind.ack, id], [Kind.refuse, id, "Any", "forbidden", ""]);
    for (const step of Object.values(CloseStep)) samples.push([Kind.close, step]);
  }
  return [...Object.values(golden).map(({ hex }) => Buffer.from(hex, "hex")), ...samples.map((frame) => encode(frame))];
}

/** Messages of a broken or hostile peer: random, truncated, changed, joined or well-formed. */
function messages(seed: number): () => Uint8Array {
  const random = createDice(seed);
  const samples = wellFormed();
  const any = () => samples[random(samples.length)]!;
  const bytes = (length: number) => Uint8Array.from({ length }, () => random(256));
  function changed(): Uint8Array {
    const message = [...any()];
    for (let change = random(4); change >= 0; change--) {
      message.splice(random(message.length + 1), random(3), ...bytes(random(3)));
    }
    return Uint8Array.from(message);
  }
  const ways = [
    () => bytes(random(60)),
    () => any().subarray(0, random(100)),
    changed,
    () => Uint8Array.from([...any(), ...changed()]),
    any,
    any,
    any,
  ];
  return () => ways[random(ways.length)]!();
}

const collectGarbage = (() => {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
})();

function heap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

const linkMessages = 50;

/** Sends `count` messages to one link after the other. Returns how many links ended with each code. */
async function attack(count: number, seed: number): Promise<Readonly<Record<string, number>>> {
  const setup = createHostileSetup();
  const next = messages(seed);
  const random = createDice(seed);
  const ends: Record<string, number> = {};
  let peer: HostilePeer | undefined;
  let sent = 0;
  for (let message = 0; message < count; message++) {
    if (!peer) {
      peer = setup.createPeer(limits);
      peer.call();
      sent = 0;
      // Let handlers and streams of some links run.
      if (random(20) === 0) await setup.advance(random(50));
    }
    peer.send(random(3) === 0 ? "bulk" : "control", next());
    if (++sent === linkMessages) peer.close();
    if (!peer.ended) continue;
    const code = peer.ended.reason?.code ?? "agreement";
    ends[code] = (ends[code] ?? 0) + 1;
    peer = undefined;
    if (random(200) === 0) await setup.advance(60_000);
  }
  peer?.close();
  await setup.advance(60_000);
  expect(setup.waiting).toBe(0);
  return ends;
}

test("random, truncated and changed frames end a link or are ignored: no crash, no hang, no growth", async () => {
  const reported = vi.spyOn(console, "error");
  await attack(5_000, baseSeed);
  const before = heap();
  const ends = await attack(frames, baseSeed + 1);
  const grown = heap() - before;
  // Some messages close the link, with or without a code.
  expect(Object.keys(ends).sort()).toEqual(["agreement", "disconnected", "protocol"]);
  expect(ends["protocol"]).toBeGreaterThan(frames / 5);
  expect(grown).toBeLessThan(2 * mebibyte);
  expect(reported).not.toHaveBeenCalled();
}, 600_000);

test("a call under the id of a call that is open ends the link", async () => {
  const peer = createHostileSetup().createPeer(limits);
  const call = encode([Kind.call, 1, "Never", value(1), null]);
  peer.send("control", call);
  expect(peer.ended).toBeUndefined();
  peer.send("control", call);
  expect(peer.ended?.reason).toMatchObject({ code: "protocol" });
});

test("frames about unknown ids are ignored, and leave nothing behind", async () => {
  const setup = createHostileSetup();
  const peer = setup.createPeer(limits);
  const sendLate = (count: number) => {
    for (let id = 100; id < 100 + count; id++) {
      const about: Frame<Packed>[] = [
        [Kind.answer, id, value("late")],
        [Kind.fail, id, "busy", "late"],
        [Kind.cancel, id, "cancelled"],
        [Kind.item, id, value("late")],
        [Kind.end, id],
        [Kind.credit, id, 0, 1_000],
        [Kind.stop, id, "cancelled"],
        [Kind.part, id, 1_000, new Uint8Array(10)],
        [Kind.part, id, 0, new Uint8Array()],
      ];
      for (const frame of about) peer.send("bulk", encode(frame));
    }
  };
  sendLate(200);
  const before = heap();
  sendLate(3_000);
  expect(heap() - before).toBeLessThan(mebibyte / 2);
  expect([peer.ended, peer.rpc.isIdle]).toEqual([undefined, true]);
});

describe("a peer that exceeds", () => {
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
  const call = (id: number, name: string, request: Packed): Frame<Packed> => [Kind.call, id, name, request, null];
  const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

  test.for<[limit: string, within: Frame<Packed>[], beyond: Frame<Packed>]>([
    ["messageSize", [call(1, "Never", value("x".repeat(9_900)))], call(2, "Never", value("x".repeat(10_000)))],
    ["messageSize in parts", [[Kind.part, 1, 4_000, new Uint8Array(900)]], [Kind.part, 2, 14_500, new Uint8Array(9)]],
    [
      "bytesPerPeer",
      upTo(2).map((slot) => [Kind.part, slot, 9_000, new Uint8Array(900)]),
      [Kind.part, 3, 9_000, new Uint8Array(900)],
    ],
    ["streamsPerPeer", [call(1, "Never", value(1, ...upTo(8)))], call(2, "Never", value(1, 9))],
    ["depth", [call(1, "Never", value(nested(16)))], call(2, "Never", value(nested(17)))],
  ])("%s loses its link", async ([, within, beyond]) => {
    const setup = createHostileSetup();
    const peer = setup.createPeer(limits);
    for (const frame of within) peer.send("bulk", encode(frame));
    expect(peer.ended).toBeUndefined();
    peer.send("bulk", encode(beyond));
    expect(peer.ended?.reason).toMatchObject({ code: "protocol" });
    expect(peer.received.at(-1)).toEqual([Kind.close, CloseStep.offer, "protocol"]);
  });

  test("framesPerSecond loses its link, and may send as many frames in the next second", async () => {
    const setup = createHostileSetup();
    const peer = setup.createPeer({ ...limits, framesPerSecond: 100 });
    const joined = (count: number) => Buffer.concat(upTo(count).map((id) => encode([Kind.cancel, id, "cancelled"])));
    await setup.advance(1_000);
    peer.send("control", joined(99));
    peer.send("control", joined(1));
    await setup.advance(1_000);
    peer.send("control", joined(100));
    expect(peer.ended).toBeUndefined();
    peer.send("bulk", new Uint8Array());
    expect(peer.ended?.reason).toMatchObject({ code: "protocol" });
  });

  test("requestsPerPeer gets busy and keeps its link", async () => {
    const setup = createHostileSetup();
    const peer = setup.createPeer(limits);
    for (const id of upTo(9)) peer.send("control", encode(call(id, "Never", value(id))));
    await setup.advance(1);
    expect(peer.received.filter(([kind]) => kind === Kind.fail)).toEqual([[Kind.fail, 9, "busy", expect.any(String)]]);
    peer.send("control", encode([Kind.cancel, 1, "cancelled"]));
    peer.send("control", encode(call(10, "Echo", value("hello"))));
    await setup.advance(1);
    expect(peer.received.at(-1)).toMatchObject([Kind.answer, 10, { plain: "hello" }]);
    expect(peer.ended).toBeUndefined();
  });
});
