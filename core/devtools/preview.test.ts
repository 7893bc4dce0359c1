import { expect, test } from "vitest";
import { createPreview } from "./preview.ts";

const preview = createPreview();

test("a preview shows every kind of value that a peer can send", () => {
  expect(preview({ text: "a\nb", list: [1, null, undefined, 2n], bytes: new Uint8Array(9) })).toBe(
    '{text: "a\\nb", list: [1, null, undefined, 2n], bytes: 9 bytes}',
  );
  expect(preview(new Map<unknown, unknown>([["a", new Set([true])]]))).toBe("Map {a: Set [true]}");
  expect(preview([new Date(0), new Date(Number.NaN)])).toBe("[1970-01-01T00:00:00.000Z, invalid date]");
});

test("values of keys that look like secrets are masked, at every depth", () => {
  const value = {
    password: "p1",
    user: { accessToken: "t1", apiKey: "k1", author: "Ann" },
    list: [{ Authorization: "a1" }, new Map([["sessionId", "s1"]])],
  };
  const text = preview(value);
  for (const secret of ["p1", "t1", "k1", "a1", "s1"]) expect(text).not.toContain(secret);
  expect(text).toContain('author: "Ann"');
});

test("a large, wide or deep value gives a short text", () => {
  let deep: unknown = 1;
  for (let depth = 0; depth < 1_000; depth++) deep = [deep];
  const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`key${index}`, index]));
  for (const value of ["x".repeat(1e6), deep, wide, Array.from({ length: 50 }, () => wide)])
    expect(preview(value).length).toBeLessThan(500);
});

test("a field named __proto__ is a field like any other", () => {
  const value = JSON.parse('{"__proto__": {"polluted": 1}}');
  expect(preview(value)).toBe("{__proto__: {polluted: 1}}");
  expect({}).not.toHaveProperty("polluted");
});

test("`redact` replaces values, after secrets were masked", () => {
  const keys: string[] = [];
  const redacting = createPreview((key, value) => {
    keys.push(key);
    return key === "email" ? "hidden" : value;
  });
  expect(redacting({ email: "ann@example.org", token: "t1", n: 1 })).toBe('{email: "hidden", token: •••, n: 1}');
  expect(keys).toEqual(["", "email", "n"]);
});

test("a `redact` that throws, or returns a getter that throws, hides the value", () => {
  const failing = createPreview(() => {
    throw new Error("no");
  });
  const trap = {
    get x(): never {
      throw new Error("no");
    },
  };
  expect(failing({ a: 1 })).toBe("•••");
  expect(createPreview(() => trap)({ a: 1 })).toBe("•••");
});
