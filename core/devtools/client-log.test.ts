import { expect, test } from "vitest";
import { BonevalueError } from "../errors.ts";
import { describeError } from "./client-log.ts";

test.each([
  ['"Bob" is not verified.', '"…" is not verified.'],
  ['"Bob "B" Smith" is not verified.', '"…" is not verified.'],
  ['"Bob\n"B" Smith" is not verified.', '"…" is not verified.'],
  ["No path to wss://ann:secret@example.org/private?key=1.", "No path to wss://example.org"],
])("an error with the message %j is recorded as %j", (message, text) => {
  expect(describeError(new BonevalueError("invalid-request", message)).message).toBe(text);
});
