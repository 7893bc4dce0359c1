import { expect, test } from "vitest";
import { fc } from "../../tools/property.ts";
import { decode, encode } from "./codec.ts";
import { concatBytes, lengthOf } from "./concat-bytes.ts";
import { createFragmenter, createReassembler, maxPartOverhead, type Reassembler } from "./fragments.ts";
import { type Frame, Kind } from "./frames.ts";
import { pack } from "./pack.ts";
import { createTestReader } from "./testing/frame-reader.ts";

const protocol = expect.objectContaining({ code: "protocol" });
const none = new Uint8Array();

function parts(frame: Uint8Array<ArrayBuffer>, slot: number, rooms: readonly number[]): Uint8Array[] {
  const cutting = createFragmenter(frame, slot);
  const parts: Uint8Array[] = [];
  while (cutting.remaining > 0) parts.push(concatBytes(cutting.next(rooms[parts.length % rooms.length] as number)));
  return parts;
}

function add(assembly: Reassembler, part: Uint8Array): Uint8Array | undefined {
  const [frame] = decode(part, { value: 0, depth: 0 });
  if (frame?.[0] !== Kind.part) throw new Error("not a part");
  return assembly.add(frame[1], frame[2], frame[3]);
}

const rooms = fc.array(fc.integer({ min: maxPartOverhead + 1, max: 300 }), { minLength: 1, maxLength: 4 });

test("frames are reassembled from parts of any sizes in any interleaving", () => {
  const frames = fc.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 2_000 }), rooms), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(frames, fc.infiniteStream(fc.nat()), (frames, turns) => {
      const queues = frames.map(([frame, rooms], index) => parts(frame, index + 1, rooms));
      const assembly = createReassembler({ maxFrame: 2_000, maxTotal: 12_000 });
      const whole = new Map<number, Uint8Array>();
      for (const turn of turns) {
        const waiting = queues.flatMap((queue, index) => (queue.length > 0 ? [index] : []));
        if (waiting.length === 0) break;
        const index = waiting[turn % waiting.length] as number;
        const done = add(assembly, queues[index]?.shift() ?? none);
        if (done) whole.set(index, done);
      }
      expect(frames.map((_, index) => whole.get(index))).toEqual(frames.map(([frame]) => frame));
      expect(assembly.heldBytes).toBe(0);
    }),
  );
});

test("a part never exceeds its size limit", () => {
  const frame = new Uint8Array(100_000);
  for (const part of parts(frame, 2 ** 31, [16_384, 65_536, 22])) expect(part.length).toBeLessThanOrEqual(65_536);
  expect(lengthOf(createFragmenter(frame, 2 ** 32 - 1).next(16_384))).toBeLessThanOrEqual(16_384);
});

test("an empty part discards the frame, and its slot can be used again", () => {
  const assembly = createReassembler({ maxFrame: 5_000, maxTotal: 5_000 });
  const cutting = createFragmenter(new Uint8Array(4_000), 1);
  add(assembly, concatBytes(cutting.next(1_000)));
  expect(assembly.heldBytes).toBe(4_000);
  expect(add(assembly, cutting.discard())).toBeUndefined();
  expect(assembly.heldBytes).toBe(0);
  expect(assembly.add(1, 0, Uint8Array.of(7))).toEqual(Uint8Array.of(7));
});

test.each<[string, readonly (readonly [slot: number, rest: number, bytes: number])[]]>([
  ["an empty part of nothing", [[1, 0, 0]]],
  ["an empty part that announces more", [[1, 10, 0]]],
  [
    "a part that leaves a gap",
    [
      [1, 10, 1],
      [1, 8, 1],
    ],
  ],
  [
    "a part that says the same again",
    [
      [1, 10, 1],
      [1, 10, 1],
    ],
  ],
  [
    "a part beyond the end",
    [
      [1, 10, 1],
      [1, 0, 11],
    ],
  ],
  ["a value beyond the largest frame", [[1, 5_000, 1]]],
  ["a value beyond the largest number", [[1, Number.MAX_SAFE_INTEGER, 1]]],
  [
    "values beyond what may be unfinished together",
    [
      [1, 4_000, 1],
      [2, 4_000, 1],
    ],
  ],
  ["many small unfinished values", Array.from({ length: 8 }, (_, slot) => [slot + 1, 1, 1] as const)],
])("parts that break a rule are rejected: %s", (_, parts) => {
  const assembly = createReassembler({ maxFrame: 5_000, maxTotal: 8_000 });
  const last = parts.at(-1) ?? [0, 0, 0];
  for (const [slot, rest, bytes] of parts.slice(0, -1)) assembly.add(slot, rest, new Uint8Array(bytes));
  expect(() => assembly.add(last[0], last[1], new Uint8Array(last[2]))).toThrow(protocol);
});

test("one unfinished frame may exceed the total for unfinished frames", () => {
  const assembly = createReassembler({ maxFrame: 5_000, maxTotal: 2_000 });
  expect(assembly.add(1, 4_999, Uint8Array.of(1))).toBeUndefined();
  expect(() => assembly.add(2, 1, Uint8Array.of(1))).toThrow(protocol);
});

test("announced gigabytes take hardly any memory", () => {
  const before = process.memoryUsage().arrayBuffers;
  const assembly = createReassembler({ maxFrame: 2 ** 30, maxTotal: 2 ** 40 });
  for (let slot = 1; slot <= 10; slot++) assembly.add(slot, 2 ** 30 - 1, Uint8Array.of(1));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
});

test("a frame that arrived in parts is read like one that arrived in a message", () => {
  const reader = createTestReader({ value: 10_000, depth: 4, assembly: 20_000 });
  const packed = pack(new Uint8Array(9_000), { name: "item", code: "invalid-response", depth: 4, size: 10_000 });
  const frame = encode([Kind.item, 1, packed]);
  const pieces = parts(frame, 1, [4_000]);
  const last = Buffer.concat([pieces.pop() ?? none, encode([Kind.end, 1])]);
  for (const piece of pieces) expect(reader.read(piece)).toEqual([]);
  const [item, end]: readonly Frame<unknown>[] = reader.read(last);
  expect(item).toMatchObject([Kind.item, 1, { size: frame.length }]);
  expect(end).toEqual([Kind.end, 1]);
});

test("the limits of a message apply to frames that arrive in parts", () => {
  const reader = createTestReader({ value: 100, depth: 4, assembly: 20_000 });
  expect(() => reader.read(encode([Kind.part, 1, 0, encode([Kind.part, 2, 0, Uint8Array.of(1)])]))).toThrow(protocol);
  expect(() => reader.read(encode([Kind.part, 1, 0, Uint8Array.of(0xc1)]))).toThrow(protocol);
  const tooLarge = encode([
    Kind.item,
    1,
    pack("x".repeat(101), { name: "item", code: "invalid-response", depth: 4, size: 200 }),
  ]);
  expect(() => reader.read(encode([Kind.part, 1, 0, tooLarge]))).toThrow(protocol);
});
