import { expect, test } from "vitest";
import { BonevalueError } from "../errors.ts";
import { thrownError } from "./wire-errors.ts";

const failed = (message: string, data?: unknown) =>
  expect.objectContaining({ name: "BonevalueError", code: "handler-failed", message, data });

test("a BonevalueError is sent as it is", () => {
  const error = new BonevalueError("busy", "later");
  expect(thrownError(error)).toBe(error);
});

test("another error is sent as its message, or as its name without one", () => {
  expect(thrownError(new RangeError("too far"))).toEqual(failed("too far"));
  expect(thrownError(new RangeError())).toEqual(failed("RangeError"));
  expect(thrownError(new Error("x".repeat(5_000))).message).toHaveLength(1_024);
});

test("an error whose message is not a string is sent", () => {
  expect(thrownError(Object.assign(new Error(), { message: 42 }))).toEqual(failed("42"));
  const bare = Object.assign(new Error(), { message: Object.create(null) });
  expect(thrownError(bare)).toEqual(failed("The handler threw a value, not an error."));
});

test("any other thrown value is sent as data, even without a string form", () => {
  expect(thrownError({ toString: () => "odd" })).toMatchObject(failed("odd", expect.anything()));
  expect(thrownError(undefined)).toEqual(failed("undefined"));
  const bare = Object.create(null);
  expect(thrownError(bare)).toEqual(failed("The handler threw a value, not an error.", bare));
});
