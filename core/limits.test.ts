import { expect, test } from "vitest";
import { defaultLimits, type Limits, limitsOf } from "./limits.ts";

test("a limit that is missing or undefined is the default", () => {
  expect(limitsOf()).toEqual(defaultLimits);
  const loose: { [Key in keyof Limits]?: number | undefined } = { depth: 8, messageSize: undefined };
  expect(limitsOf(loose as Partial<Limits>)).toEqual({ ...defaultLimits, depth: 8 });
});
