import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import type { BusMessage } from "./cluster.ts";
import type { ClaimResult, RedisCommands } from "./redis-commands.ts";
import { createOwnership } from "./redis-ownership.ts";

test("a claim that is superseded before its answer has come ends after the caller has it", async () => {
  const answer = Promise.withResolvers<ClaimResult>();
  const answers = { addPeer: async () => {}, removePeer: async () => {}, claim: () => answer.promise };
  const sent: BusMessage[] = [];
  const ownership = createOwnership({
    ...{ commands: answers as Partial<RedisCommands> as RedisCommands, now: () => 7, node: "here" },
    send: (_node, message) => sent.push(message),
    broadcast() {},
  });
  const claiming = ownership.claim("ann", "p");
  ownership.onSuperseded("p", 8);
  answer.resolve({ epoch: 8, previous: undefined });
  expect((await claiming).login.epoch).toBe(8);
  expect(sent).toEqual([]);
  await setImmediate();
  expect(sent).toEqual([{ kind: "superseded", id: "p", epoch: 8 }]);
  ownership.onSuperseded("p", 8);
  expect(ownership.isEmpty()).toBe(true);
});
