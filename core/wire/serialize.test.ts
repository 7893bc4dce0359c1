import { expect, test } from "vitest";
import { maxContainers } from "./frames.ts";
import { type SerializeOptions, serialize } from "./serialize.ts";

const request = { name: "request", code: "invalid-request", depth: 8, size: 4_096 } as const satisfies SerializeOptions;

function plainOf(value: unknown, more: Partial<SerializeOptions> = {}) {
  return serialize(value, { ...request, ...more });
}

class Account {}

test.each([
  ["request is a function", () => {}],
  ["request.items[3].run is a function", { items: [0, 1, 2, { run() {} }] }],
  ['request["first name"] is a symbol', { "first name": Symbol("s") }],
  ["request.account is an instance of Account", { account: new Account() }],
  ["request.reply is a promise", { reply: Promise.resolve() }],
  ["request.error is an instance of Error", { error: new Error("no") }],
  ["request.pattern is an instance of RegExp", { pattern: /x/ }],
  ["request[0][1] is a function", new Map([["key", () => {}]])],
  ["request.memory is an instance of SharedArrayBuffer", { memory: new SharedArrayBuffer(8) }],
  ["request.cache is an instance of Cache", { cache: new (class Cache extends Map {})() }],
  ["request is an instance of List", new (class List extends Array {})()],
])("%s: the error names the path", (message, value) => {
  expect(() => plainOf(value)).toThrow(
    expect.objectContaining({ code: "invalid-request", message: expect.stringContaining(message) }),
  );
});

test("the error for a cycle names the position that leads back", () => {
  const family: Record<string, unknown> = { name: "Ann" };
  family["child"] = { parent: family };
  expect(() => plainOf({ family })).toThrow("request.family.child.parent leads back to what contains it");
  const set = new Set<unknown>();
  set.add({ set });
  expect(() => plainOf(set)).toThrow("request[0].set leads back");
});

test("the same object at two positions is not a cycle", () => {
  const shared = { x: 1 };
  expect(plainOf([shared, shared]).annotations).toEqual([]);
});

test("nesting is allowed as deep as the limit, and a Map counts twice", () => {
  const nest = (levels: number): unknown => Array.from({ length: levels }).reduce((inner) => [inner], 1);
  expect(plainOf(nest(8)).plain).toEqual(nest(8));
  expect(() => plainOf(nest(9))).toThrow("is nested deeper than the limit of 8 levels");
  expect(() => plainOf(nest(20_000))).toThrow("is nested deeper");
  expect(() => plainOf(new Map([[1, nest(7)]]))).toThrow("is nested deeper");
});

test("an endless value is rejected as too large before it is built", () => {
  const tooLarge = expect.objectContaining({ code: "too-large" });
  const doubled = Array.from({ length: 40 }).reduce<unknown>((inner) => [inner, inner], 1);
  expect(() => plainOf(doubled, { depth: 64 })).toThrow(tooLarge);
  expect(() => plainOf("x".repeat(5_000))).toThrow(tooLarge);
  expect(() => plainOf(new Uint8Array(5_000))).toThrow(tooLarge);
  expect(() => plainOf(new Array(4_000_000_000))).toThrow(tooLarge);
});

test("more than a million lists and objects are rejected, annotations included", () => {
  const limits = { size: 100_000_000 };
  const tooLarge = expect.objectContaining({ code: "too-large" });
  const lists = (length: number) => Array.from({ length }, () => []);
  expect(() => plainOf(lists(maxContainers - 1), limits)).toThrow(tooLarge);
  expect(plainOf(lists(maxContainers - 2), limits).annotations).toEqual([]);
  expect(() => plainOf(new Array(maxContainers / 2).fill(new Date()), limits)).toThrow(tooLarge);
});

test("a value without annotations is not copied", () => {
  const value = { text: "Not Friday", list: [1, null, true], bytes: new Uint8Array(2), none: undefined };
  const { plain, annotations } = plainOf(value);
  expect(plain).toBe(value);
  expect(annotations).toEqual([[["none"], "undefined"]]);
});

test("only the containers of annotated values are copied", () => {
  const value = { when: new Date(5), rest: { x: 1 } };
  const { plain, annotations } = plainOf(value);
  expect(plain).toEqual({ when: 5, rest: { x: 1 } });
  expect((plain as typeof value).rest).toBe(value.rest);
  expect(value.when).toBeInstanceOf(Date);
  expect(annotations).toEqual([[["when"], "Date"]]);
});

test("annotations inside a container come before its own", () => {
  const { plain, annotations } = plainOf({ ages: new Map([["Ann", 7n]]) });
  expect(plain).toEqual({ ages: [["Ann", "7"]] });
  expect(annotations).toEqual([
    [["ages", 0, 1], "BigInt"],
    [["ages"], "Map"],
  ]);
});

test("an object with a key that msgpack must not have becomes a list of pairs", () => {
  const value = JSON.parse('{"a":1,"__proto__":{"polluted":true}}');
  const { plain, annotations } = plainOf(value);
  expect(plain).toEqual([
    ["a", 1],
    ["__proto__", { polluted: true }],
  ]);
  expect(annotations).toEqual([[[], "Object"]]);
});

test("a stream is announced by the `attach` option, and rejected without it", () => {
  const stream = new ReadableStream();
  const iterable = { async *[Symbol.asyncIterator]() {} };
  const seen: object[] = [];
  const attach = (source: object) => ({ kind: "stream", detail: seen.push(source) }) as const;
  expect(plainOf({ stream, iterable }, { attach })).toEqual({
    plain: { stream: null, iterable: null },
    annotations: [
      [["stream"], "stream", 1],
      [["iterable"], "stream", 2],
    ],
  });
  expect(seen).toEqual([stream, iterable]);
  expect(() => plainOf({ stream })).toThrow("request.stream is an instance of ReadableStream");
  expect(() => plainOf(new Account(), { attach: () => undefined })).toThrow("request is an instance of Account");
});

test("symbol keys and an array's further properties are left out, as in JSON", () => {
  const list = Object.assign([1], { extra: 2 });
  expect(plainOf({ [Symbol("hidden")]: () => {}, list }).annotations).toEqual([]);
});
