import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { baseSeed, createDice } from "../../tools/property.ts";
import { BonevalueError } from "../errors.ts";
import { decode, type Received, unpackValue } from "./codec.ts";

const golden: Record<string, { hex: string }> = JSON.parse(
  readFileSync(new URL("golden.json", import.meta.url), "utf8"),
);
const seeds = Object.values(golden).map(({ hex }) => Buffer.from(hex, "hex"));
const limits = { value: 10_000, depth: 16 };

/** Reads a message as a link does. Returns whether it was accepted. */
function accepts(message: Uint8Array): boolean {
  try {
    for (const frame of decode(message, limits)) {
      for (const element of frame) {
        if (typeof element === "object" && element !== null && "plain" in element) {
          unpackValue(element as Received, () => null);
        }
      }
    }
    return true;
  } catch (error) {
    if (error instanceof BonevalueError && error.code === "protocol") return false;
    throw error;
  }
}

test("random bytes are accepted or rejected, and never crash or hang", () => {
  const random = createDice(baseSeed);
  let refused = 0;
  for (let round = 0; round < 30_000; round++) {
    const message = Uint8Array.from({ length: random(60) }, () => random(256));
    if (!accepts(message)) refused++;
  }
  expect(refused).toBeGreaterThan(29_000);
});

test("frames with changed, removed or inserted bytes are accepted or rejected", () => {
  const random = createDice(baseSeed + 1);
  let refused = 0;
  for (let round = 0; round < 60_000; round++) {
    const message = [...(seeds[random(seeds.length)] as Buffer)];
    for (let change = random(4); change >= 0; change--) {
      message.splice(random(message.length + 1), random(3), ...Array.from({ length: random(3) }, () => random(256)));
    }
    if (!accepts(Uint8Array.from(message))) refused++;
  }
  expect(refused).toBeGreaterThan(30_000);
});

test("a truncated message is rejected", () => {
  for (const seed of seeds) {
    for (let length = 1; length < seed.length; length++) expect(accepts(seed.subarray(0, length))).toBe(false);
    expect(accepts(seed)).toBe(true);
  }
});
