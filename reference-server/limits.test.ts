import { expect, test } from "vitest";
import { defaultLimits, limitsOf } from "./limits.ts";

test("a limit that is left out, or that nothing was put into, is the default", () => {
  expect(limitsOf()).toEqual(defaultLimits);
  const frameSize = undefined as unknown as number;
  expect(limitsOf({ frameSize, tokens: 5 })).toEqual({ ...defaultLimits, tokens: 5 });
});
