import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { decode, encode, unpackValue } from "./codec.ts";
import { Kind } from "./frames.ts";
import { pack } from "./pack.ts";
import type { SerializeOptions } from "./serialize.ts";

const request = { name: "request", code: "invalid-request", depth: 8, size: 4_096 } as const satisfies SerializeOptions;

function sent(value: unknown): unknown {
  const [frame] = decode(encode([Kind.item, 1, pack(value, request)]), { value: 4_096, depth: 8 });
  if (frame?.[0] !== Kind.item) throw new Error("not an item");
  return unpackValue(frame[2]);
}

test.each<[script: string, arrives: unknown]>([
  ["new Date(5)", new Date(5)],
  ["new Map([[1, new Set(['a'])]])", new Map([[1, new Set(["a"])]])],
  ["new Set([new Date(NaN)])", new Set([new Date(Number.NaN)])],
  ["Uint8Array.of(1, 2).buffer", Uint8Array.of(1, 2).buffer],
  ["Uint8Array.of(1, 2)", Uint8Array.of(1, 2)],
  ["Float32Array.of(1.5)", Float32Array.of(1.5)],
  ["new DataView(new ArrayBuffer(2))", new DataView(new ArrayBuffer(2))],
  ["({ list: [1, { text: 'x' }], none: Object.create(null) })", { list: [1, { text: "x" }], none: {} }],
])("a value of another realm arrives: %s", (script, arrives) => {
  expect(sent({ value: runInNewContext(script) })).toStrictEqual({ value: arrives });
});

test.each([
  ["class Cache extends Map {}; new Cache()", "request.value is an instance of Cache"],
  ["class Day extends Date {}; new Day()", "request.value is an instance of Day"],
  ["Promise.resolve()", "request.value is a promise"],
  ["new SharedArrayBuffer(8)", "request.value is an instance of SharedArrayBuffer"],
  ["class Account {}; new Account()", "request.value is an instance of Account"],
])("an instance of another realm that cannot be sent is rejected with its path: %s", (script, message) => {
  expect(() => sent({ value: runInNewContext(script) })).toThrow(message);
});

test.each<[string, (buffer: ArrayBuffer) => unknown]>([
  ["a buffer", (buffer) => buffer],
  ["bytes", (buffer) => new Uint8Array(buffer)],
  ["a typed array", (buffer) => new Float64Array(buffer)],
  ["a DataView", (buffer) => new DataView(buffer)],
])("%s that was transferred is rejected with its path", (_, make) => {
  const buffer = new ArrayBuffer(16);
  const value = make(buffer);
  structuredClone(buffer, { transfer: [buffer] });
  expect(() => sent({ value })).toThrow(
    expect.objectContaining({ code: "invalid-request", message: expect.stringContaining("request.value is detached") }),
  );
});

test("empty buffers and views arrive", () => {
  const empty = [new ArrayBuffer(), new Uint8Array(), new Int16Array(), new DataView(new ArrayBuffer())];
  expect(sent(empty)).toStrictEqual(empty);
});
