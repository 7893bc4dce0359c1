import { expect, test } from "vitest";
import { maxPasswordBytes, minPasswordLength, passwordProblem } from "./password.ts";

test("a password has at least 8 characters, counted as code points", () => {
  expect(passwordProblem("x".repeat(minPasswordLength))).toBeUndefined();
  expect(passwordProblem("x".repeat(minPasswordLength - 1))).toMatch(/at least 8 characters/);
  expect(passwordProblem("🐎".repeat(minPasswordLength))).toBeUndefined();
  // Eight UTF-16 code units.
  expect(passwordProblem("🐎🐎🐎🐎")).toMatch(/at least 8 characters/);
});

test("a password has at most 1024 bytes of UTF-8", () => {
  expect(passwordProblem("é".repeat(maxPasswordBytes / 2))).toBeUndefined();
  expect(passwordProblem(`${"é".repeat(maxPasswordBytes / 2)}x`)).toMatch(/at most 1024 bytes/);
});
