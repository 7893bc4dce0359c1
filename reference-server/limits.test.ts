import { expect, test } from "vitest";
import { defaultLimits, resolveLimits } from "./limits.ts";

test("a limit that is missing or undefined is the default", () => {
  expect(resolveLimits()).toEqual(defaultLimits);
  const frameSize = undefined as unknown as number;
  expect(resolveLimits({ frameSize, tokens: 5 })).toEqual({ ...defaultLimits, tokens: 5 });
});
