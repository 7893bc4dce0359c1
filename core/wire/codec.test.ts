import { spawnSync } from "node:child_process";
import { isDeepStrictEqual } from "node:util";
import { Packr } from "msgpackr/pack";
import { expect, test } from "vitest";
import { fc, runs } from "../../tools/property.ts";
import { decode, encode, encodeChunks, mapAttachments, packItem, type Received, unpackValue } from "./codec.ts";
import { concatBytes } from "./concat-bytes.ts";
import { type Frame, Kind, maxContainers } from "./frames.ts";
import { pack } from "./pack.ts";
import type { SerializeOptions } from "./serialize.ts";

const outgoing = {
  name: "request",
  code: "invalid-request",
  depth: 32,
  size: 1_000_000,
} as const satisfies SerializeOptions;
const limits = { value: 1_000_000, depth: 32 };

/** Sends `value` over the wire and reads it. */
function sent(value: unknown): unknown {
  const [frame] = decode(encode([Kind.item, 1, pack(value, outgoing)]), limits);
  return unpackValue(valueIn(frame));
}

function valueIn(frame: Frame<Received> | undefined): Received {
  if (frame?.[0] !== Kind.item) throw new Error("not an item");
  return frame[2];
}

const units = fc.array(fc.nat(0xffff), { maxLength: 100 }).map((codes) => String.fromCharCode(...codes));
const text = fc.oneof(fc.string({ unit: "binary", maxLength: 100 }), units, fc.constant(`\uFEFF${"x".repeat(70)}`));
const key = fc.oneof(
  text,
  fc.constantFrom("__proto__", "constructor", "toString", "toJSON", "hasOwnProperty", "then", "length", "0"),
);
const number = fc.oneof(fc.double(), fc.integer(), fc.maxSafeInteger()).map((n) => n + 0);
const views = [
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
  Float32Array,
  Float64Array,
  DataView,
] as const satisfies readonly (new (
  buffer: ArrayBuffer,
) => ArrayBufferView)[];
const view = fc
  .tuple(fc.constantFrom(...views), fc.uint8Array({ maxLength: 64 }))
  .map(
    ([View, { length, buffer }]: readonly [new (buffer: ArrayBuffer) => ArrayBufferView, Uint8Array<ArrayBuffer>]) =>
      new View(buffer.slice(0, length - (length % 8))),
  );

const hole = Symbol("hole");

function withHoles(items: readonly unknown[]): unknown[] {
  const sparse = new Array(items.length);
  for (const [index, item] of items.entries()) if (item !== hole) sparse[index] = item;
  return sparse;
}

const value = fc.letrec((tie) => ({
  leaf: fc.oneof(
    text,
    number,
    view,
    fc.boolean(),
    fc.bigInt(),
    fc.date({ noInvalidDate: false }),
    fc.constantFrom(null, undefined, -(10n ** 400n)),
    fc.uint8Array().map(({ buffer }) => buffer.slice(0)),
  ),
  list: fc.array(tie("any"), { maxLength: 4 }),
  sparse: fc.array(fc.option(tie("any"), { nil: hole }), { maxLength: 4 }).map(withHoles),
  object: fc.array(fc.tuple(key, tie("any")), { maxLength: 4 }).map(Object.fromEntries),
  map: fc
    .array(fc.tuple(tie("any"), tie("any")), { maxLength: 3 })
    .map((pairs) => new Map(pairs as [unknown, unknown][])),
  set: fc.array(tie("any"), { maxLength: 3 }).map((items) => new Set(items)),
  any: fc.oneof(
    { depthSize: "small", maxDepth: 6 },
    tie("leaf"),
    tie("list"),
    tie("sparse"),
    tie("object"),
    tie("map"),
    tie("set"),
  ),
})).any;

test("every value that is accepted arrives unchanged", () => {
  fc.assert(
    fc.property(value, (before) => isDeepStrictEqual(sent(before), before)),
    { numRuns: runs(2_000) },
  );
});

test.each([
  ["-0 arrives as 0", -0, 0],
  ["NaN and the infinities arrive", [Number.NaN, Infinity, -Infinity], [Number.NaN, Infinity, -Infinity]],
  ["undefined at the root arrives", undefined, undefined],
  ["an object without a prototype arrives as an ordinary one", Object.assign(Object.create(null), { x: 1 }), { x: 1 }],
  ["a Buffer arrives as a Uint8Array", Buffer.from([1, 2]), Uint8Array.of(1, 2)],
  ["an object with a toJSON of data is no call of it", { toJSON: 1 }, { toJSON: 1 }],
  ["an invalid date arrives as one", new Date(Number.NaN), new Date(Number.NaN)],
])("%s", (_, before, after) => {
  expect(sent(before)).toStrictEqual(after);
});

test("an object of more than 65 535 keys arrives", () => {
  const many = Object.fromEntries(Array.from({ length: 70_000 }, (_, index) => [`k${index}`, 1]));
  expect(sent(many)).toEqual(many);
});

test("keys with the names of prototype properties arrive as data", () => {
  const arrived = sent(JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}')) as object;
  expect(Object.keys(arrived)).toEqual(["__proto__", "constructor"]);
  expect(Object.getPrototypeOf(arrived)).toBe(Object.prototype);
  expect({}).not.toHaveProperty("polluted");
});

test("bytes are copied when they arrive, unless they fill most of their message", () => {
  const arrived = (...sizes: number[]) => {
    const items = sizes.map((size) => encode([Kind.item, 1, pack(new Uint8Array(size), outgoing)]));
    return decode(concatBytes(items), limits).map((frame) => unpackValue(valueIn(frame)) as Uint8Array);
  };
  for (const { buffer, length } of arrived(300, 300, 3)) expect(buffer.byteLength).toBe(length);
  const [large, small] = arrived(60_000, 300);
  expect([large?.length, large?.buffer.byteLength]).toEqual([60_000, 60_000 + 6 + 300 + 6]);
  expect(small?.buffer.byteLength).toBe(300);
});

test("the bytes of a large item are sent without a copy, and are read like any others", () => {
  const chunk = new Uint8Array(40_000).fill(7);
  const pieces = encodeChunks([Kind.item, 1, packItem(chunk, outgoing)]);
  expect(pieces[1]).toBe(chunk);
  expect(concatBytes(pieces)).toEqual(encode([Kind.item, 1, pack(chunk, outgoing)]));
  for (const item of [{ chunk }, new Uint8Array(9)]) expect(packItem(item, outgoing)).toEqual(pack(item, outgoing));
  expect(() => packItem(chunk, { ...outgoing, size: 40_000 })).toThrow(expect.objectContaining({ code: "too-large" }));
});

test("later changes to a packed value are not sent", () => {
  const list = [1];
  const bytes = new Uint8Array(2);
  const packed = pack({ list, bytes }, outgoing);
  list.push(2);
  bytes[0] = 9;
  const [frame] = decode(encode([Kind.item, 1, packed]), limits);
  expect(unpackValue(valueIn(frame))).toEqual({ list: [1], bytes: new Uint8Array(2) });
});

test("a value whose packed size exceeds the limit is too large", () => {
  expect(() => pack("ä".repeat(600), { ...outgoing, size: 1_000 })).toThrow(
    expect.objectContaining({ code: "too-large" }),
  );
  expect(() => pack(Array(300).fill(undefined), { ...outgoing, size: 1_000 })).toThrow(
    expect.objectContaining({ code: "too-large" }),
  );
});

test("the attachments of a packed value get other details for each peer", () => {
  const attach = () => ({ kind: "stream", detail: 0 }) as const;
  const packed = pack({ film: new ReadableStream() }, { ...outgoing, attach });
  const [frame] = decode(encode([Kind.item, 1, mapAttachments(packed, (detail) => [detail, 7])]), limits);
  expect(packed.hasAttachments).toBe(true);
  expect(unpackValue(valueIn(frame), (kind, detail) => ({ kind, detail }))).toEqual({
    film: { kind: "stream", detail: [0, 7] },
  });
  expect(() => unpackValue(valueIn(frame))).toThrow(protocol);
});

test("the frames of one message are read in order", () => {
  const packed = pack({ film: undefined }, outgoing);
  const frames: Frame<typeof packed>[] = [
    [Kind.call, 1, "echo", packed, 30_000],
    [Kind.call, 2, "echo", packed, null],
    [Kind.fail, 3, "busy", "Later."],
    [Kind.fail, 3, "handler-failed", "No.", packed],
    [Kind.part, 1, 300, new Uint8Array(300)],
    [Kind.end, 4],
  ];
  const message = Buffer.concat(frames.map(encode));
  const received = { plain: { film: null }, annotations: [[["film"], "undefined"]], size: expect.any(Number) };
  expect(decode(message, limits)).toEqual([
    [Kind.call, 1, "echo", received, 30_000],
    [Kind.call, 2, "echo", received, null],
    [Kind.fail, 3, "busy", "Later."],
    [Kind.fail, 3, "handler-failed", "No.", received],
    [Kind.part, 1, 300, new Uint8Array(300)],
    [Kind.end, 4],
  ]);
});

const foreign = new Packr({ useRecords: false, moreTypes: true });

/** Reads an item of a hostile peer. */
function hostile(plain: unknown, annotations?: unknown): () => unknown {
  const frame = annotations === undefined ? [Kind.item, 1, plain] : [Kind.item, 1, plain, annotations];
  return () => unpackValue(valueIn(decode(foreign.pack(frame), limits)[0]), (_, detail) => ({ detail }));
}

const protocol = expect.objectContaining({ code: "protocol" });

test.each([
  ["a map in place of annotations", {}, {}],
  ["an annotation that is not a list", {}, [1]],
  ["an annotation without a kind", {}, [[[]]]],
  ["an annotation that is too long", null, [[[], "undefined", 1, 2]]],
  ["an unknown kind", {}, [[[], "RegExp"]]],
  ["a kind named like a prototype's property", {}, [[[], "constructor"]]],
  ["a position that does not exist", {}, [[["x"], "undefined"]]],
  ["a position in the prototype", {}, [[["__proto__"], "undefined"]]],
  ["a position in the constructor", {}, [[["constructor", "prototype"], "Set"]]],
  ["an array's length", [null], [[["length"], "Date"]]],
  ["an index that is a string", [null], [[["0"], "undefined"]]],
  ["a byte of bytes", Uint8Array.of(1), [[["0"], "Date"]]],
  ["a character of a string", "abc", [[["0"], "BigInt"]]],
  ["undefined at the position of a number", 5, [[[], "undefined"]]],
  ["a hole in an object", { x: null }, [[["x"], "hole"]]],
  ["a BigInt that is not a number", "0x5", [[[], "BigInt"]]],
  ["a BigInt that is code", "5n", [[[], "BigInt"]]],
  ["a date that is a string", "2020", [[[], "Date"]]],
  ["a date beyond all dates", 9e15, [[[], "Date"]]],
  ["a date that is an object without a primitive", { valueOf: 1, toString: 1 }, [[[], "Date"]]],
  ["a kind that is a large number", null, [[[], 2n ** 63n]]],
  ["a Map of triples", [[1, 2, 3]], [[[], "Map"]]],
  ["a Map of something other than pairs", [1], [[[], "Map"]]],
  ["an object with a key that is not a string", [[1, 2]], [[[], "Object"]]],
  ["a Set of a map", {}, [[[], "Set"]]],
  ["a view of half an element", Uint8Array.of(1), [[[], "Float64Array"]]],
  ["a text of half a unit", Uint8Array.of(1), [[[], "text"]]],
  ["a stream at the position of a value", 1, [[[], "stream", 1]]],
  ["a detail for a kind without details", null, [[[], "undefined", 1]]],
  [
    "the same annotation twice",
    ["5"],
    [
      [[0], "BigInt"],
      [[0], "BigInt"],
    ],
  ],
  [
    "an annotation inside a Map that was built",
    [[1, null]],
    [
      [[], "Map"],
      [[0, 1], "undefined"],
    ],
  ],
  [
    "an annotation inside an object that was built",
    [["__proto__", null]],
    [
      [[], "Object"],
      [["__proto__"], "undefined"],
    ],
  ],
  [
    "an annotation inside a stream that was built",
    [null],
    [
      [[0], "stream", 5],
      [[0, "detail"], "Date"],
    ],
  ],
])("annotations of a peer are rejected: %s", (_, plain, annotations) => {
  expect(hostile(plain, annotations)).toThrow(protocol);
});

test("the codec works under a strict Content-Security-Policy, which forbids compiling from strings", () => {
  const [codec, packing] = ["codec.ts", "pack.ts"].map((file) => JSON.stringify(new URL(file, import.meta.url).href));
  const script = `
    import { decode, encode, unpackValue } from ${codec};
    import { pack } from ${packing};
    const outgoing = { name: "request", code: "invalid-request", depth: 8, size: 1000 };
    for (let round = 0; round < 10; round++) {
      const [frame] = decode(encode([5, 1, pack({ a: [round], when: new Date(0) }, outgoing)]), { value: 1000, depth: 8 });
      if (unpackValue(frame[2]).a[0] !== round) throw new Error("not what was sent");
    }`;
  const strict = ["--disallow-code-generation-from-strings", "--input-type=module", "--eval", script];
  expect(spawnSync(process.execPath, strict, { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
});

test("integers that only other languages send arrive without loss", () => {
  expect(hostile([2 ** 53 - 1, 2n ** 53n + 1n, 2n ** 64n - 1n, -(2n ** 63n), 7n])()).toEqual([
    2 ** 53 - 1,
    2n ** 53n + 1n,
    2n ** 64n - 1n,
    -(2n ** 63n),
    7,
  ]);
});

test("the largest number of annotations that may be sent is accepted", () => {
  const roomy = { ...outgoing, size: 100_000_000 };
  const dates = new Array(Math.floor((maxContainers - 2) / 3)).fill(new Date(5));
  const packed = pack(dates, roomy);
  expect(() => pack([...dates, new Date(5)], roomy)).toThrow(expect.objectContaining({ code: "too-large" }));
  const frames = decode(encode([Kind.item, 1, packed]), { value: roomy.size, depth: 32 });
  expect(unpackValue(valueIn(frames[0]))).toEqual(dates);
});
