import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createDice, runs } from "../../tools/property.ts";
import { encode } from "../wire/codec.ts";
import { concatBytes } from "../wire/concat-bytes.ts";
import { createFragmenter } from "../wire/fragments.ts";
import { type Frame, Kind } from "../wire/frames.ts";
import { type Packed, pack } from "../wire/pack.ts";
import { createClientLog } from "./client-log.ts";
import { createFrameObserver } from "./frame-observer.ts";
import { createPreview } from "./preview.ts";
import { maxEntries } from "./ring.ts";

const limits = { value: 8_000_000, depth: 64 };

function value(plain: unknown): Packed {
  return pack(plain, { name: "value", code: "invalid-request", depth: 64, size: 10_000_000 });
}

function createObserved() {
  const log = createClientLog();
  log.preview = createPreview();
  const observer = createFrameObserver("eve", log, limits);
  const read = (frame: Frame<Packed>, channel: "control" | "bulk" | "lossy" = "control") =>
    observer.read("in", channel, encode(frame));
  return { log, observer, read };
}

function parts(frame: Frame<Packed>, slot: number, size: number): readonly Uint8Array<ArrayBuffer>[] {
  const fragmenter = createFragmenter(encode(frame), slot);
  const all: Uint8Array<ArrayBuffer>[] = [];
  while (fragmenter.remaining > 0) all.push(concatBytes(fragmenter.next(size)));
  return all;
}

test("a frame in parts is recorded with its head and its whole size, once it is complete", () => {
  const { log, observer } = createObserved();
  const call = parts(
    [Kind.call, 7, "Upload", value({ text: "x".repeat(200_000), when: new Date(0) }), 5_000],
    1,
    65_536,
  );
  const message = parts([Kind.notify, 0, "Say", value("y".repeat(100_000))], 2, 65_536);
  for (let index = 0; index < call.length; index++) {
    observer.read("in", "bulk", call[index]!);
    if (message[index]) observer.read("in", "bulk", message[index]!);
  }
  const [uploaded, said] = log.calls.newestFirst();
  expect(uploaded).toMatchObject({ module: "Upload", kind: "call", outcome: "pending", request: "too large to show" });
  expect(uploaded!.requestSize).toBeGreaterThan(200_000);
  expect(said).toMatchObject({ module: "Say", kind: "message" });
  expect(log.events.size).toBe(0);
});

test("a value that cannot be read hides no other frame of its message", () => {
  const { log, observer } = createObserved();
  const annotated: Packed = { ...value(1), annotationBytes: value([[[], "No such kind"]]).bytes };
  observer.read(
    "in",
    "control",
    concatBytes([encode([Kind.call, 1, "One", annotated, null]), encode([Kind.call, 2, "Two", value(2), null])]),
  );
  expect(log.calls.newestFirst()).toMatchObject([
    { module: "Two", request: "2" },
    { module: "One", request: "unreadable" },
  ]);
});

test("a frame that is discarded halfway is not recorded", () => {
  const { log, observer } = createObserved();
  const fragmenter = createFragmenter(encode([Kind.call, 7, "Upload", value("x".repeat(200_000)), null]), 1);
  observer.read("in", "bulk", concatBytes(fragmenter.next(65_536)));
  observer.read("in", "bulk", fragmenter.discard());
  expect(log.calls.size).toBe(0);
});

test("names and codes of a peer are text of bounded length", () => {
  const { log, read } = createObserved();
  const long = `<img src=x onerror=alert(1)>${"x".repeat(60_000)}`;
  read([Kind.call, 1, long, value({ [long]: long }), null]);
  read([Kind.cancel, 1, long]);
  read([Kind.presence, 2, long, 1, value(long)]);
  read([Kind.refuse, 1, long, long, long]);
  const held = JSON.stringify([log.calls.newestFirst(), log.presence.newestFirst(), log.events.newestFirst()]);
  expect(held.length).toBeLessThan(4_000);
});

test("a peer that opens calls, streams and presence without end fills only the rings", () => {
  const { log, observer, read } = createObserved();
  for (let id = 1; id <= 3 * maxEntries; id++) {
    read([Kind.call, id, "Any", value(1), null]);
    read([Kind.item, id, value(new Uint8Array(10))]);
    read([Kind.presence, 2, `name ${id}`, 1, value(1)]);
    read([Kind.notify, 0, "Any", value(1)]);
    read([Kind.part, id, 50_000, new Uint8Array([0x95, Kind.call, 1, 0xa1, 0x61])]);
  }
  for (const ring of [log.calls, log.streams, log.presence]) expect(ring.size).toBe(maxEntries);
  observer.end("disconnected");
  expect(log.presence.size).toBe(0);
  expect(log.streams.newestFirst().every(({ outcome }) => outcome === "disconnected")).toBe(true);
});

test("random and malformed messages never throw, and are reported once", () => {
  const golden: Record<string, { hex: string }> = JSON.parse(
    readFileSync(new URL("../wire/golden.json", import.meta.url), "utf8"),
  );
  const samples = Object.values(golden).map(({ hex }) => Buffer.from(hex, "hex"));
  const random = createDice(1);
  const { log, observer } = createObserved();
  for (let run = 0; run < runs(5_000); run++) {
    const bytes = new Uint8Array(samples[random(samples.length)]!);
    for (let change = random(4); change > 0; change--) bytes[random(bytes.length)] = random(256);
    observer.read(random(2) ? "in" : "out", (["control", "bulk", "lossy"] as const)[random(3)]!, bytes);
  }
  const unreadable = log.events.newestFirst().filter(({ text }) => text === "unreadable message");
  expect(unreadable).toMatchObject([{ code: "protocol", peer: "eve" }]);
});
