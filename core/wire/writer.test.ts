import { decode, encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { expect, test } from "vitest";
import { keep, writeArray } from "./writer.ts";

const integer = fc.oneof(fc.nat(300), fc.nat(70_000), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
const text = fc.string({
  unit: fc.integer({ min: 0, max: 0x7f }).map((unit) => String.fromCharCode(unit)),
  maxLength: 31,
});
const elements = fc.array(fc.oneof(integer, text, fc.constant(null)), { maxLength: 4 });
const value = fc.oneof(fc.string(), fc.uint8Array({ maxLength: 300 }), fc.dictionary(fc.string(), fc.double()));

test("what is written is what a msgpack library writes", () => {
  fc.assert(
    fc.property(elements, value, elements, fc.option(value, { nil: undefined }), (head, element, tail, last) => {
      const written = writeArray(head, encode(element), tail, last === undefined ? undefined : encode(last));
      const whole = [...head, element, ...tail, ...(last === undefined ? [] : [last])];
      expect(written).toEqual(encode(whole));
    }),
  );
});

test.each([
  ["a negative number", -1],
  ["a fraction", 0.5],
  ["an integer beyond 32 bits", 2 ** 32],
  ["a text that is not ASCII", "é"],
  ["a long text", "x".repeat(32)],
  ["an object", {}],
  ["undefined", undefined],
])("%s is left to the library, before the value and after it", (_, element) => {
  const packed = encode(1);
  expect(writeArray([element], packed, [])).toBeUndefined();
  expect(writeArray([], packed, [element])).toBeUndefined();
});

test("large values, and arrays of sixteen and more, are left to the library", () => {
  expect(writeArray([1], encode("x".repeat(2_048)), [])).toBeUndefined();
  expect(writeArray(new Array(15).fill(1), encode(1), [])).toBeUndefined();
});

test("nothing that was written is written over, nor by what could not be written to its end", () => {
  const written = Array.from({ length: 5_000 }, (_, index) => {
    writeArray([index, {}], encode(index), []);
    const bytes = encode("x".repeat(index % 100));
    return { index, bytes, array: writeArray([index], bytes, []), kept: keep(bytes) };
  });
  for (const { index, bytes, array, kept } of written) {
    expect(decode(array!)).toEqual([index, decode(bytes)]);
    expect(kept).toEqual(bytes);
  }
});

test("bytes are kept apart from those that they were copied from, whatever their size", () => {
  for (const size of [1, 3_000]) {
    const bytes = new Uint8Array(size);
    const kept = keep(bytes);
    bytes.fill(1);
    expect(kept).toEqual(new Uint8Array(size));
  }
});
