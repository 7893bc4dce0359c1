import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { encodeProfile } from "./profile.ts";

describe("a profile", () => {
  test("is a JSON object, of any realm", () => {
    const profile = { avatar: "/a.png", age: 5, tags: ["a", { b: null }], away: false };
    expect(JSON.parse(encodeProfile(profile))).toEqual(profile);
    expect(encodeProfile(runInNewContext("({ list: [{ a: 1 }] })"))).toBe('{"list":[{"a":1}]}');
    expect(encodeProfile(Object.assign(Object.create(null), { a: 1 }))).toBe('{"a":1}');
  });

  test("loses the fields that are undefined", () => {
    expect(encodeProfile({ a: undefined, b: 1 })).toBe('{"b":1}');
  });

  test.for([
    ["nothing", undefined],
    ["null", null],
    ["a list", []],
    ["a text", "{}"],
    ["a number", 5],
    ["a function", () => {}],
    ["an object with a function", { run() {} }],
    ["an object with a symbol", { a: Symbol("a") }],
    ["an object with a BigInt", { a: 1n }],
    ["an object with NaN", { a: [Number.NaN] }],
    ["an object with a Map", { a: new Map() }],
    ["an instance of a class", new (class Avatar {})()],
    ["an object whose toJSON returns a list", { toJSON: () => [] }],
    ["an object with __proto__", JSON.parse('{"__proto__":{"admin":true}}')],
    ["an object with __proto__ inside", { list: [JSON.parse('{"__proto__":1}')] }],
    ["an object that contains itself", loop()],
    ["an object that is nested too deep to be read", JSON.parse(`${'{"a":'.repeat(9_000)}1${"}".repeat(9_000)}`)],
  ])("is not %s", ([, value]) => {
    expect(() => encodeProfile(value)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^(invalid-request|too-large)$/) }),
    );
  });

  test("has at most 1 KiB of JSON in UTF-8", () => {
    const sized = (bytes: number, letter: string) => ({ a: letter.repeat((bytes - 8) / new Blob([letter]).size) });
    for (const letter of ["a", "é", "😀"]) {
      expect(new Blob([encodeProfile(sized(1_024, letter))]).size).toBe(1_024);
      const larger = { ...sized(1_024 - 6, letter), b: "12" };
      expect(() => encodeProfile({ ...larger, c: 1 })).toThrow(expect.objectContaining({ code: "too-large" }));
    }
    expect(() => encodeProfile(sized(1_025, "a"))).toThrow("not 1025");
  });
});

function loop(): object {
  const looped: { self?: object } = {};
  looped.self = looped;
  return looped;
}
