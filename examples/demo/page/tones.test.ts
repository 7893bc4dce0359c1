import { expect, test } from "vitest";
import { createTones } from "./tones.ts";

test("each account of the demo has its own tone, and our other logins wear ours", () => {
  const tones = createTones(["Ann", "Oli"], "Oli");
  expect([tones("Ann"), tones("Oli"), tones("Us")]).toEqual(["0", "1", "1"]);
});

test("anybody else has one of the other tones, always the same", () => {
  const tones = createTones(["Ann", "Oli"], "Ann");
  for (const name of ["Dave", "zoë", "x", "a long name of somebody"]) {
    expect(["2", "3", "4", "5"]).toContain(tones(name));
    expect(tones(name)).toBe(createTones(["Ann", "Oli"], "Oli")(name));
  }
});
