import { decode, encode } from "@msgpack/msgpack";
import { expect, test } from "vitest";
import { fc } from "../../tools/property.ts";
import { beginWrite, finishWrite, writeArrayHeader, writeRaw, writeValue } from "./writer.ts";

function write(value: unknown): Uint8Array {
  beginWrite();
  writeValue(value);
  return finishWrite();
}

const number = fc.oneof(
  fc.integer({ min: -40, max: 300 }),
  fc.integer({ min: -70_000, max: 70_000 }),
  fc.integer(),
  fc.nat(2 ** 32 - 1),
  fc.double({ noInteger: true }),
);
const text = fc.oneof(fc.string({ unit: "binary", maxLength: 300 }), fc.string({ maxLength: 40 }));
// The library refuses the key that serialize.ts keeps out of maps.
const key = text.filter((one) => one !== "__proto__");
const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "medium" },
    fc.constantFrom(null, true, false, -0, 2 ** 32, -(2 ** 40), Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY),
    number,
    text,
    fc.uint8Array({ maxLength: 70_000 }),
    fc.array(tie("value"), { maxLength: 20 }),
    fc.dictionary(key, tie("value"), { maxKeys: 20 }),
  ),
})).value;

test("a msgpack library reads what was written", () => {
  fc.assert(
    fc.property(plain, (value) => {
      expect(decode(write(value))).toEqual(decode(encode(value)));
    }),
  );
});

test("every value is written in its shortest form", () => {
  fc.assert(
    fc.property(plain, (value) => {
      expect(write(value).length).toBeLessThanOrEqual(encode(value).length);
    }),
  );
});

test.each([15, 16, 31, 32, 64, 65, 255, 256, 65_535, 65_536, 70_000])("a length of %i is written", (length) => {
  for (const value of [
    "x".repeat(length),
    "é".repeat(length),
    new Uint8Array(length),
    new Array(length).fill(1),
    Object.fromEntries(Array.from({ length }, (_, index) => [`k${index}`, index])),
  ]) {
    expect(decode(write(value))).toEqual(value);
  }
});

test("undefined is nil", () => {
  expect(decode(write([undefined]))).toEqual([null]);
});

test("packed bytes are written among values", () => {
  beginWrite();
  writeArrayHeader(3);
  writeValue(1);
  writeRaw(encode({ packed: true }));
  writeValue("end");
  expect(decode(finishWrite())).toEqual([1, { packed: true }, "end"]);
});

test("a result is never overwritten, also not by an unfinished one", () => {
  const written = Array.from({ length: 5_000 }, (_, index) => {
    beginWrite();
    writeValue("never finished");
    const value = { index, text: "x".repeat((index * 7) % 3_000) };
    return { value, bytes: write(value) };
  });
  for (const { value, bytes } of written) expect(decode(bytes)).toEqual(value);
});

test("a result is independent of the bytes that it was copied from, at every size", () => {
  for (const size of [1, 3_000, 100_000]) {
    const bytes = new Uint8Array(size);
    const kept = write(bytes);
    bytes.fill(1);
    expect(decode(kept)).toEqual(new Uint8Array(size));
  }
});
