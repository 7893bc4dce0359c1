import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ServerProcess, startServer } from "../../../tools/server-process.ts";
import type { IdentityPolicy } from "../options.ts";
import { attacks, type Outcome, type Target } from "./attacks.ts";
import { type HostileServer, startHostileServer } from "./hostile-server.ts";

const password = "a password";

/** What each attack achieves under each policy. Without identity, the attacks that can work do. */
const expected: Readonly<Record<string, Readonly<Record<IdentityPolicy, Outcome>>>> = {
  relay: { off: "passed, not verified", tofu: "stopped", require: "stopped" },
  "relay at once": { off: "passed, not verified", tofu: "stopped", require: "stopped" },
  fingerprint: { off: "stopped", tofu: "stopped", require: "stopped" },
  downgrade: { off: "passed, not verified", tofu: "stopped", require: "stopped" },
  "downgrade at once": { off: "passed, not verified", tofu: "stopped", require: "stopped" },
  replay: { off: "passed, not verified", tofu: "stopped", require: "stopped" },
  swap: { off: "passed, not verified", tofu: "stopped", require: "stopped" },
  login: { off: "passed, not verified", tofu: "passed, not verified", require: "stopped" },
  impostor: { off: "passed, not verified", tofu: "passed, not verified", require: "stopped" },
  splice: { off: "passed, not verified", tofu: "stopped", require: "stopped" },
  stranger: { off: "passed, not verified", tofu: "passed, not verified", require: "stopped" },
  room: { off: "passed, not verified", tofu: "stopped", require: "stopped" },
  leak: { off: "passed, verified", tofu: "stopped", require: "stopped" },
};

/** Creates a client of a user. With `isOther` its keys are those of another device. */
export type CreateTarget = (
  username: string,
  password: string,
  options: { readonly policy: IdentityPolicy; readonly host: string; readonly isOther: boolean },
) => Target;

/** Runs every attack under each of these policies. */
export function testAttacks(policies: readonly IdentityPolicy[], create: CreateTarget): void {
  let server: ServerProcess;
  let hostile: HostileServer;
  let tests = 0;

  beforeAll(async () => {
    server = await startServer();
    hostile = await startHostileServer(server.url);
  });

  afterAll(async () => {
    await hostile.close();
    await server.stop();
  });

  describe.for(policies)("with policy %s", (policy) => {
    test.for(Object.keys(attacks))("the attack %s achieves what the table says", async (name) => {
      const suffix = ++tests;
      const users = ["ann", "bob", "eve"].map((user) => `${user}${suffix}`);
      for (const user of users) await server.addAccount(user, password);
      hostile.attack = {};
      hostile.recorded.length = 0;
      const targetOf = (user: string, isOther = false) =>
        create(user, password, { policy, host: hostile.url, isOther });
      const [ann, bob, eve] = users.map((user) => targetOf(user)) as [Target, Target, Target];
      const outcome = await attacks[name]!({ hostile, ann, bob, eve, login: (user) => targetOf(user, true) });

      expect(outcome).toBe(expected[name]![policy]);
    });
  });
}
