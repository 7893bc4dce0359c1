import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import type { IdentityPolicy } from "./options.ts";
import { attacks, type Outcome, type Victim } from "./testing/attacks.ts";
import { type HostileServer, startHostileServer } from "./testing/hostile-server.ts";
import { createDevice } from "./testing/users.ts";

const password = "a password";
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
  leak: { off: "passed, verified", tofu: "stopped", require: "stopped" },
};

function victimOf(username: string, policy: IdentityPolicy): Victim {
  const device = createDevice(policy === "off" ? policy : { policy });
  const { client } = device;
  return {
    username,
    connect: () => client.connect(hostile.url, username, password),
    disconnect: () => client.disconnect(),
    requestToken: async (alias) => (await client.requestToken(alias)).token,
    claimToken: (alias, token) => client.claimToken(alias, token),
    async call(alias, text) {
      try {
        const answer = await client.get(alias).call("Echo", text, { timeout: 5_000 }).first();
        const [peer] = client.get(alias).peers.peek();
        return { answer, verified: client.link(peer!.id).peek().verified === true };
      } catch (error) {
        const { errors = [error] } = error as AggregateError;
        return { failure: String(errors[0]) };
      }
    },
    calls: async () => device.calls,
  };
}

describe.for(["off", "tofu", "require"] as const)("with policy %s", (policy) => {
  test.for(Object.keys(attacks))("the attack %s achieves what the table says", async (name) => {
    const suffix = ++tests;
    const users = ["ann", "bob", "eve"].map((user) => `${user}${suffix}`);
    for (const user of users) await server.addAccount(user, password);
    hostile.attack = {};
    hostile.recorded.length = 0;
    const [ann, bob, eve] = users.map((user) => victimOf(user, policy)) as [Victim, Victim, Victim];
    const outcome = await attacks[name]!({ hostile, ann, bob, eve, login: (user) => victimOf(user, policy) });
    expect(outcome).toBe(expected[name]![policy]);
  });
});
