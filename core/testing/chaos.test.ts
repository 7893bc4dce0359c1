import fc from "fast-check";
import { expect, test } from "vitest";
import type { Client } from "../client.ts";
import { BonevalueError } from "../errors.ts";
import type { Reply } from "../rpc/replies.ts";
import { createNetwork, type Network } from "./network.ts";
import { createVirtualClock, type VirtualClock } from "./virtual-clock.ts";

// SEEDS=10000 for the long run.
const seeds = Number(process.env["SEEDS"] ?? 1_000);

/** Something that happens to the peer of that number, and how long nothing does after it, in ms. */
interface Happening {
  readonly what: keyof typeof happenings;
  readonly whose: number;
  readonly other: number;
  readonly pause: number;
}

interface Call {
  readonly id: number;
  readonly deadline: number;
  ended?: number;
  replies?: readonly Reply<unknown>[];
}

interface World {
  readonly clock: VirtualClock;
  readonly network: Network;
  readonly clients: readonly Client[];
  readonly calls: Call[];
  /** How often each call has reached each handler. */
  readonly handled: Map<string, number>;
}

const callTimeout = 12_000;

const happenings = {
  call: (world: World, client: Client, other: Client) => call(world, client, other.getId() ?? "*"),
  callEach: (world: World, client: Client) => call(world, client, "*"),
  glare: (world: World, client: Client, other: Client) => {
    call(world, client, other.getId() ?? "*");
    call(world, other, client.getId() ?? "*");
  },
  partition: ({ network }: World, client: Client) => network.partition(client.getId() ?? ""),
  heal: ({ network }: World) => network.heal(),
  drop: ({ network }: World, client: Client) => network.drop(client.getId() ?? ""),
  sleep: ({ network }: World, client: Client) => {
    network.partition(client.getId() ?? "");
    network.discovery.interrupt(client.getId());
  },
  wake: ({ network }: World, client: Client) => {
    network.heal();
    network.discovery.restore(client.getId());
  },
  serverDies: ({ network }: World) => network.discovery.interrupt(),
  serverReturns: ({ network }: World) => network.discovery.restore(),
  leave: (_: World, client: Client) => void client.disconnect(),
  enter: ({ clients }: World, client: Client) => signIn(client, clients.indexOf(client)),
};

function call({ clock, calls }: World, client: Client, query: string): void {
  const made: Call = { id: calls.length, deadline: clock.now() + callTimeout };
  calls.push(made);
  client
    .get(query)
    .call("Handle", made.id, { timeout: callTimeout })
    .all()
    .then((replies) => Object.assign(made, { replies, ended: clock.now() }));
}

function signIn(client: Client, index: number): void {
  // A sign-in that fails, since the server is down, is made good at the end.
  client.connect("test", nameOf(index), "").catch(() => {});
}

// Several logins of one user are among them.
function nameOf(index: number): string {
  return `user ${index % 5}`;
}

function seededRandom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function createWorld(size: number, seed: number): World {
  const clock = createVirtualClock();
  const network = createNetwork({ clock, latency: 20, jitter: 30, random: seededRandom(seed) });
  const handled = new Map<string, number>();
  const clients = Array.from({ length: size }, (_, index) => network.client(nameOf(index), { maxLinks: 4 }));
  for (const [index, client] of clients.entries()) {
    client.module("Handle", async ({ request }) => {
      const key = `${request} by ${index}`;
      handled.set(key, (handled.get(key) ?? 0) + 1);
      await new Promise<void>((resolve) => clock.after(request % 3 === 0 ? 5_000 : 10, resolve));
      return request;
    });
    client.on("error", () => {});
    signIn(client, index);
  }
  return { clock, network, clients, calls: [], handled };
}

async function comeToRest({ clock, network, clients }: World): Promise<void> {
  network.heal();
  network.discovery.restore();
  await clock.advance(30_000);
  for (const [index, client] of clients.entries()) if (client.status.peek() === "offline") signIn(client, index);
  await clock.advance(120_000);
}

function idsOf(clients: readonly Client[]): readonly (string | undefined)[] {
  return clients.map((client) => client.getId()).sort();
}

test("whatever happens, every call ends in time, reaches a handler at most once, and at rest everybody agrees", async () => {
  const happening: fc.Arbitrary<Happening> = fc.record({
    what: fc.constantFrom(...(Object.keys(happenings) as (keyof typeof happenings)[])),
    whose: fc.nat(7),
    other: fc.nat(7),
    pause: fc.oneof(fc.nat(50), fc.nat(3_000), fc.nat(25_000)),
  });
  const history = fc.array(happening, { minLength: 1, maxLength: 25 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 8 }), history, fc.nat(), async (size, story, seed) => {
      const world = createWorld(size, seed);
      const { clock, clients, calls, handled } = world;
      await clock.advance(500);
      for (const { what, whose, other, pause } of story) {
        happenings[what](world, clients[whose % size] as Client, clients[other % size] as Client);
        await clock.advance(pause);
      }
      await comeToRest(world);

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
      await Promise.all(clients.map((client) => client.disconnect()));
      await clock.advance(60_000);
      expect(world.network.links).toBe(0);
    }),
    { numRuns: seeds },
  );
}, 3_600_000);
