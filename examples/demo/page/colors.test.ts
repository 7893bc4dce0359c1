import { expect, test } from "vitest";
import { createColors } from "./colors.ts";

test("each account of the demo has its own color, also for the other peers of the own account", () => {
  const colors = createColors(["Ann", "Oli"], "Oli");
  expect([colors("Ann"), colors("Oli"), colors("Us")]).toEqual(["0", "1", "1"]);
});

test("every other user always gets the same one of the other colors", () => {
  const colors = createColors(["Ann", "Oli"], "Ann");
  for (const name of ["Dave", "zoë", "x", "a long name of somebody"]) {
    expect(["2", "3", "4", "5"]).toContain(colors(name));
    expect(colors(name)).toBe(createColors(["Ann", "Oli"], "Oli")(name));
  }
});
