import { expect, test } from "vitest";
import { fc, runs } from "../../../tools/property.ts";
import type { Client } from "../../client.ts";
import { BonevalueError } from "../../errors.ts";
import type { Reply } from "../../rpc/replies.ts";
import { createWorld, disturbances, leaveAll, settleWorld, step, type World } from "./world.ts";

interface Call {
  readonly id: number;
  readonly deadline: number;
  ended?: number;
  replies?: readonly Reply<unknown>[];
}

interface CallingWorld extends World {
  readonly calls: Call[];
  /** How often each call has reached each handler. */
  readonly handled: Map<string, number>;
}

const callTimeout = 12_000;

const happenings = {
  ...disturbances,
  call: (world: CallingWorld, client: Client, other: Client) => call(world, client, other.getId() ?? "*"),
  callEach: (world: CallingWorld, client: Client) => call(world, client, "*"),
  glare: (world: CallingWorld, client: Client, other: Client) => {
    call(world, client, other.getId() ?? "*");
    call(world, other, client.getId() ?? "*");
  },
};

function call({ clock, calls }: CallingWorld, client: Client, query: string): void {
  const made: Call = { id: calls.length, deadline: clock.now() + callTimeout };
  calls.push(made);
  client
    .get(query)
    .call("Handle", made.id, { timeout: callTimeout })
    .all()
    .then((replies) => Object.assign(made, { replies, ended: clock.now() }));
}

function createCallingWorld(size: number, seed: number): CallingWorld {
  const world = createWorld(size, seed, { maxLinks: 4 });
  const handled = new Map<string, number>();
  for (const [index, client] of world.clients.entries()) {
    client.module("Handle", async ({ request }) => {
      const key = `${request} by ${index}`;
      handled.set(key, (handled.get(key) ?? 0) + 1);
      await new Promise<void>((resolve) => world.clock.after(request % 3 === 0 ? 5_000 : 10, resolve));
      return request;
    });
  }
  return { ...world, calls: [], handled };
}

function idsOf(clients: readonly Client[]): readonly (string | undefined)[] {
  return clients.map((client) => client.getId()).sort();
}

test("in every history each call ends in time and reaches a handler at most once, and at rest all clients agree", async () => {
  const history = fc.array(step(Object.keys(happenings) as (keyof typeof happenings)[]), {
    minLength: 1,
    maxLength: 25,
  });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 8 }), history, fc.nat(), async (size, story, seed) => {
      const world = createCallingWorld(size, seed);
      const { clock, clients, calls, handled } = world;
      await clock.advance(500);
      for (const { what, whose, other, pause } of story) {
        happenings[what](world, clients[whose % size] as Client, clients[other % size] as Client);
        await clock.advance(pause);
      }
      await settleWorld(world, 120_000);

      for (const { id, deadline, ended, replies } of calls) {
        expect(ended, `call ${id} ends`).toBeLessThanOrEqual(deadline + 200);
        for (const { status, value, error } of replies ?? []) {
          if (status === "fulfilled") expect(value).toBe(id);
          else expect(error).toBeInstanceOf(BonevalueError);
        }
      }
      expect([...handled].filter(([, count]) => count > 1)).toEqual([]);
      for (const client of clients) {
        const known = [...client.peers.peek().map(({ id }) => id), client.getId()].sort();
        expect(known).toEqual(idsOf(clients));
        for (const other of clients) {
          const there = client.link(other.getId() ?? "").peek().status === "open";
          const back = other.link(client.getId() ?? "").peek().status === "open";
          expect(there).toBe(back);
        }
      }
      await leaveAll(world);
      expect(world.network.links).toBe(0);
    }),
    { numRuns: runs(1_000) },
  );
}, 3_600_000);
