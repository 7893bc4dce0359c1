import { Packr } from "msgpackr/pack";
import { expect, test } from "vitest";
import { decode } from "./codec.ts";
import { maxContainers } from "./frames.ts";
import { endOfValue } from "./scan.ts";

const limits = { value: 100_000, depth: 64 };
const protocol = expect.objectContaining({ code: "protocol" });
const bytes = (hex: string) => Uint8Array.from(hex.split(" "), (byte) => Number.parseInt(byte, 16));
const item = (value: Uint8Array | readonly number[]) => Uint8Array.from([0x93, 5, 1, ...value]);

const structured = new Packr({ structuredClone: true });
const cycle: unknown[] = [];
cycle.push(cycle);

test.each([
  ["a record", new Packr().pack({ a: 1, b: 2 })],
  ["a regular expression", structured.pack(/(a+)+$/)],
  ["an error", structured.pack(new Error("x"))],
  ["a cycle", structured.pack(cycle)],
  ["a typed array as an ext type", structured.pack(new Float32Array(2))],
  ["a timestamp", new Packr().pack(new Date())],
  ["undefined as an ext type", new Packr().pack(undefined)],
  ["bundled strings", new Packr({ useRecords: false, bundleStrings: true }).pack(["some text", "more text"])],
  ["the unused token", bytes("c1")],
  ["a map with a number as its key", bytes("81 01 01")],
  ["a map with an array as its key", bytes("81 90 01")],
  ["a map with the key __proto__", new Uint8Array(Buffer.from("\x81\xa9__proto__\x80", "latin1"))],
  [
    "the key __proto__ with a long header",
    new Uint8Array(Buffer.from("\x81\xdb\x00\x00\x00\x09__proto__\x80", "latin1")),
  ],
  ["an array of four billion items", bytes("dd ff ff ff ff 01")],
  ["a map of four billion keys", bytes("df ff ff ff ff a1 61 01")],
  ["bytes that end too early", bytes("c6 00 10 00 00 01")],
  ["a string that ends too early", bytes("a5 61")],
  ["a number that ends too early", bytes("cb 00 00")],
  ["a length that ends too early", bytes("da 00")],
  ["20 000 levels", new Uint8Array(20_000).fill(0x91)],
  ["65 levels", new Uint8Array(66).fill(0x91).fill(1, 65)],
])("%s is rejected before anything is built", (_, value) => {
  expect(() => decode(item(value), limits)).toThrow(protocol);
});

const containers = (count: number, of: number): Uint8Array => {
  const value = new Uint8Array(5 + count).fill(of, 5);
  value[0] = 0xdd;
  new DataView(value.buffer).setUint32(1, count);
  return value;
};

test.each([
  ["arrays", 0x90],
  ["maps", 0x80],
])("more than a million empty %s are rejected before any is built", (_, of) => {
  const roomy = { value: 2_000_000, depth: 64 };
  expect(() => decode(item(containers(maxContainers, of)), roomy)).toThrow(protocol);
  expect(decode(item(containers(maxContainers - 1, of)), roomy)).toHaveLength(1);
});

test.each([
  ["something other than an array", "01"],
  ["an array of nothing", "90"],
  ["an unknown kind", "92 7f 01"],
  ["a kind that is not a number", "92 a1 61 01"],
  ["too few fields", "92 05 01"],
  ["too many fields", "95 05 01 c0 c0 c0"],
  ["a stream numbered 0", "93 05 00 c0"],
  ["a stream numbered with a fraction", "93 05 cb 3f f8 00 00 00 00 00 00 c0"],
  ["a stream numbered below 0", "93 05 ff c0"],
  ["a module that is not a string", "95 01 01 05 c0 c0"],
  ["a deadline below 0", "95 01 01 a1 61 c0 ff"],
  ["a deadline that is not a number", "95 01 01 a1 61 c0 cb 7f f8 00 00 00 00 00 00"],
  ["a part without bytes", "94 09 01 00 a1 61"],
  ["an unknown step of closing", "92 0a 03"],
  ["a hello without limits", "93 00 01 c0"],
  ["a frame behind a good one", "92 0a 00 c1"],
])("a frame is rejected: %s", (_, hex) => {
  expect(() => decode(bytes(hex), limits)).toThrow(protocol);
});

test("a value that exceeds the limit together with its annotations is rejected", () => {
  const value = [0xc4, 200, ...new Uint8Array(200)];
  expect(decode(item(value), { value: 202, depth: 4 })).toHaveLength(1);
  expect(() => decode(item(value), { value: 201, depth: 4 })).toThrow(protocol);
  const noted = Uint8Array.from([0x94, 5, 1, 0xc0, ...value]);
  expect(() => decode(noted, { value: 202, depth: 4 })).toThrow(protocol);
});

test("a hello of more than 4 KiB is rejected", () => {
  const hello = (length: number) => new Packr({ useRecords: false }).pack([0, 1, { peer: "x".repeat(length) }]);
  expect(decode(hello(4_000), limits)).toHaveLength(1);
  expect(() => decode(hello(4_096), limits)).toThrow(protocol);
});

test("the end of every msgpack format is found", () => {
  const value = [
    null,
    true,
    200,
    70_000,
    5e9,
    -1,
    -200,
    -70_000,
    1.5,
    "x".repeat(40),
    "x".repeat(300),
    "x".repeat(70_000),
    2n ** 63n,
    new Uint8Array(10),
    new Uint8Array(300),
    new Uint8Array(70_000),
    Array(20).fill(1),
    Array(70_000).fill(1),
    { a: { bb: [] } },
  ];
  const packed = new Packr({ useRecords: false }).pack(value);
  expect(endOfValue(packed, 0, { depth: 5, containers: 6 })).toBe(packed.length);
});
