import { expect, test } from "vitest";
import { newPeerId, newSecret, newTicket } from "./secrets.ts";

test.each([
  ["peer id", 128, () => Buffer.from(newPeerId(), "hex")],
  ["ticket", 128, () => Buffer.from(newTicket(), "base64url")],
  ["secret", 256, () => Buffer.from(newSecret(), "base64url")],
] as const)("each bit of a %s (%d bits) is independently random", (_, bits, make) => {
  const samples = Array.from({ length: 64 }, () =>
    [...make()].map((byte) => byte.toString(2).padStart(8, "0")).join(""),
  );
  const columns = Array.from({ length: bits }, (_, at) => samples.map((sample) => sample[at]).join(""));
  expect(samples[0]).toHaveLength(bits);
  expect(new Set(columns).size).toBe(bits);
  for (const column of columns) expect(new Set(column).size).toBe(2);
});
