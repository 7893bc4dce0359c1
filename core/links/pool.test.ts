import { expect, test } from "vitest";
import { createRandom, fc, runs } from "../../tools/property.ts";
import type { Client, ClientOptions } from "../client.ts";
import { BonevalueError } from "../errors.ts";
import { defaultLimits } from "../limits.ts";
import type { Reply } from "../rpc/replies.ts";
import { alreadyLoaded } from "../testing/already-loaded.ts";
import { createNetwork } from "../testing/network.ts";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import type { Link, LinkEvents } from "../transport/transport.ts";
import { decode, encode } from "../wire/codec.ts";
import { CloseStep, Kind } from "../wire/frames.ts";
import { createConnection, type Service } from "./connection.ts";
import { createHello } from "./hello.ts";
import { createPool } from "./pool.ts";
import { createFakeLink } from "./testing/fake-link.ts";

/** Clients on one network in virtual time. Their ids, and so which of two dials stands, are the same in every run. */
function createWorld(seed = 1) {
  const clock = createVirtualClock();
  const network = createNetwork({ clock, latency: 5, random: createRandom(seed) });
  function signIn(name: string, options: ClientOptions = {}): Client {
    const client = network.client(name, options);
    client.module("Any", () => name);
    client.connect("test", name, "");
    return client;
  }
  return {
    clock,
    network,
    async client(name: string, options?: ClientOptions): Promise<Client> {
      const client = signIn(name, options);
      await clock.advance(20);
      return client;
    },
    async clients(names: readonly string[], options?: ClientOptions): Promise<readonly Client[]> {
      const clients = names.map((name) => signIn(name, options));
      await clock.advance(20);
      return clients;
    },
  };
}

function users(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `user ${index}`);
}

function openLinks(client: Client): number {
  return client.peers.peek().filter(({ id }) => client.link(id).peek().status === "open").length;
}

test("three hundred peers are called over sixteen links within the call's deadline", async () => {
  const { clock, client, clients } = createWorld();
  const ann = await client("ann", { maxLinks: 16 });
  await clients(users(300));
  let most = 0;
  const replies = ann.get("*").call("Any");
  replies.state.subscribe(() => {
    most = Math.max(most, openLinks(ann));
  });
  for (let step = 0; step < 250; step++) await clock.advance(100);
  expect((await replies.all()).filter(({ status }) => status === "fulfilled")).toHaveLength(300);
  expect(most).toBeLessThanOrEqual(16);
});

test("the least recently used link is closed for a new one", async () => {
  const { clock, client } = createWorld();
  const ann = await client("ann", { maxLinks: 2, idleTimeout: 600_000 });
  const ids: string[] = [];
  for (const name of ["bob", "cid", "dan"]) ids.push((await client(name, { idleTimeout: 600_000 })).getId() as string);
  const [bob, cid, dan] = ids as [string, string, string];
  for (const peer of [bob, cid, bob]) {
    ann.get(peer).call("Any");
    await clock.advance(1_000);
  }
  const reply = ann.get(dan).call("Any").first();
  await clock.advance(1_000);
  expect(await reply).toBe("dan");
  expect([bob, cid, dan].map((peer) => ann.link(peer).peek().status)).toEqual(["open", "idle", "open"]);
});

test("a call to a peer whose accepted links are all in use starts once one of them is idle", async () => {
  const { clock, client } = createWorld();
  const ann = await client("ann", { maxLinks: 1 });
  ann.module("Slow", () => new Promise((resolve) => clock.after(10_000, () => resolve("done"))));
  const bob = await client("bob");
  const cid = await client("cid");
  bob.get("ann").call("Slow");
  await clock.advance(1_000);
  const link = cid.link(ann.getId()!);
  const reply = cid.get("ann").call("Any").first();
  await clock.advance(5_000);
  expect(link.peek()).toMatchObject({ status: "failed", error: { code: "busy" } });
  await clock.advance(15_000);
  expect(await reply).toBe("ann");
});

test("a call to a peer that stays busy ends with its own deadline and says so, and the link state has the reason", async () => {
  const { clock, client } = createWorld();
  const ann = await client("ann", { maxLinks: 1 });
  ann.module("Never", () => new Promise(() => {}));
  const bob = await client("bob");
  const cid = await client("cid");
  bob.get("ann").call("Never", undefined, { timeout: Number.POSITIVE_INFINITY });
  await clock.advance(1_000);
  const link = cid.link(ann.getId()!);
  const replies = cid.get("ann").call("Any", undefined, { timeout: 20_000 }).all();
  await clock.advance(21_000);
  const message = expect.stringMatching(/^No link within 20000 ms\. .*refused the link \(busy\)/);
  expect(await replies).toMatchObject([{ error: { code: "timeout", message } }]);
  expect(link.peek()).toMatchObject({ status: "failed", error: { code: "busy" } });
  const later: string[] = [];
  link.subscribe(({ status }) => later.push(status));
  await clock.advance(5_000);
  expect(later).toEqual(["failed"]);
});

test("a call that waits for a link of ours until its deadline says that all of them are in use", async () => {
  const { clock, client } = createWorld();
  const ann = await client("ann", { maxLinks: 1 });
  const bob = await client("bob");
  bob.module("Never", () => new Promise(() => {}));
  await client("cid");
  ann.get("bob").call("Never", undefined, { timeout: Number.POSITIVE_INFINITY });
  await clock.advance(1_000);
  const replies = ann.get("cid").call("Any", undefined, { timeout: 2_000 }).all();
  await clock.advance(3_000);
  const message = expect.stringMatching(/^No link within 2000 ms\. All 1 links are in use/);
  expect(await replies).toMatchObject([{ error: { code: "timeout", message } }]);
});

test("a call that shares a generator does not wait for a busy peer", async () => {
  const { clock, client } = createWorld();
  const ann = await client("ann", { maxLinks: 1 });
  ann.module("Never", () => new Promise(() => {}));
  const bob = await client("bob");
  const cid = await client("cid");
  bob.get("ann").call("Never");
  await clock.advance(1_000);
  async function* items() {
    yield 1;
  }
  const replies = cid.get("*").call("Any", items()).all();
  await clock.advance(1_000);
  expect((await replies).map(({ error, value }) => error?.code ?? value).sort()).toEqual(["bob", "busy"]);
});

test("ninety-nine peers call one peer with default options, and all get an answer", async () => {
  const { clock, client, clients } = createWorld();
  const hub = await client("hub");
  const callers = await clients(users(99));
  const failures: unknown[] = [];
  for (const caller of callers) {
    caller.link(hub.getId()!).subscribe(({ error }) => error && error.code !== "busy" && failures.push(error));
  }
  const replies = callers.map((caller) => caller.get("hub").call("Any").all());
  await clock.advance(10_000);
  expect((await Promise.all(replies)).flat().map(({ error, value }) => error?.code ?? value)).toEqual(
    Array(99).fill("hub"),
  );
  expect(failures).toEqual([]);
  expect(openLinks(hub)).toBe(99);
});

test("peers with as many links as there are others mesh: everybody calls everybody", async () => {
  const { clock, clients } = createWorld();
  const all = await clients(users(25), { maxLinks: 24 });
  const replies = all.map((caller) => caller.get("*").call("Any").all());
  await clock.advance(10_000);
  const answers = (await Promise.all(replies)).flat();
  expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(25 * 24);
  for (const client of all) expect(openLinks(client)).toBe(24);
});

test("peers that dial each other in a ring with one link each all reach their callee", async () => {
  const { clock, clients } = createWorld();
  const names = users(7);
  const all = await clients(names, { maxLinks: 1 });
  const replies = all.map((caller, at) =>
    caller
      .get(names[(at + 1) % 7]!)
      .call("Any", undefined, { keepAlive: false })
      .all(),
  );
  await clock.advance(30_000);
  expect((await Promise.all(replies)).flat().map(({ value }) => value)).toEqual([...names.slice(1), names[0]]);
});

test("twenty peers with four links each all call each other", async () => {
  const { clock, clients } = createWorld();
  const all = await clients(users(20), { maxLinks: 4 });
  const replies = all.map((caller) => caller.get("*").call("Any", undefined, { timeout: 120_000 }).all());
  for (let second = 0; second < 120; second++) {
    await clock.advance(1_000);
    for (const client of all) expect(openLinks(client)).toBeLessThanOrEqual(4);
  }
  const answers = (await Promise.all(replies)).flat();
  expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(20 * 19);
});

test("calls that wait for a link are sent in the order in which they were made", async () => {
  const { clock, client } = createWorld();
  const ann = await client("ann");
  const bob = await client("bob");
  const order: number[] = [];
  bob.module("Count", ({ request }) => order.push(request));
  for (let count = 0; count < 20; count++) ann.get("bob").call("Count", count);
  await clock.advance(1_000);
  expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index));
});

test("a call that is cancelled while it waits for a link is never sent", async () => {
  const { clock, client } = createWorld();
  const ann = await client("ann");
  const bob = await client("bob");
  let handled = 0;
  bob.module("Count", () => ++handled);
  const replies = ann.get("bob").call("Count");
  replies.cancel("not needed");
  await clock.advance(1_000);
  expect(await replies.all()).toMatchObject([{ error: { code: "cancelled", cause: "not needed" } }]);
  expect(handled).toBe(0);
});

test("a call to a peer that does not answer fails with the reason, and the link state has it, too", async () => {
  const { clock, network, client } = createWorld();
  const ann = await client("ann");
  const bob = (await client("bob")).getId() as string;
  network.partition(bob);
  const reply = ann.get(bob).call("Any").all();
  await clock.advance(16_000);
  expect(await reply).toMatchObject([{ error: { code: expect.stringMatching(/link-failed|timeout/) } }]);
  expect(ann.link(bob).peek()).toMatchObject({ status: "failed", error: { message: expect.stringMatching(/\w/) } });
  network.heal();
  const again = ann.get(bob).call("Any").first();
  await clock.advance(1_000);
  expect(await again).toBe("bob");
});

test("without the server open links work, and a call that needs a new link waits for the server", async () => {
  const { clock, network, client } = createWorld();
  const ann = await client("ann");
  await client("bob");
  await client("cid");
  const first = ann.get("bob").call("Any").first();
  await clock.advance(1_000);
  await first;
  network.discovery.interrupt();
  await clock.advance(100);
  expect(ann.status.peek()).toBe("reconnecting");
  const known = ann.get("bob").call("Any").first();
  const unlinked = ann.get("cid").call("Any").first();
  await clock.advance(5_000);
  expect(await known).toBe("bob");
  network.discovery.restore();
  await clock.advance(12_000);
  expect(await unlinked).toBe("cid");
});

test("the calls of a user whose trust ends fail at once, and the link closes within a second", async () => {
  const { clock, network, client } = createWorld();
  const ann = await client("ann");
  const bob = await client("bob");
  bob.module("Never", () => new Promise(() => {}));
  const reply = ann.get("bob").call("Never").all();
  await clock.advance(1_000);
  network.discovery.distrust("ann", "bob");
  await clock.advance(20);
  expect(await reply).toMatchObject([{ error: { code: "disconnected" } }]);
  await clock.advance(1_000);
  expect(network.links).toBe(0);
});

test("a call made when the link has failed starts another dial", async () => {
  const { clock, network, client } = createWorld();
  const [ann, bob] = [await client("ann"), await client("bob")];
  const id = bob.getId()!;
  network.partition(id);
  let again: Promise<unknown> | undefined;
  ann.link(id).subscribe(({ status }) => {
    if (status !== "failed") return;
    again ??= ann.get(id).call("Any").first();
  });
  const first = ann.get(id).call("Any");
  await clock.advance(15_100);
  expect((await first.all())[0]?.error?.code).toBe("link-failed");
  expect(ann.link(id).peek().status).toBe("connecting");
  network.heal();
  await clock.advance(1_000);
  expect(await again).toBe("bob");
});

test("a call made when the link has closed starts another dial", async () => {
  const { clock, client } = createWorld();
  const [ann, bob] = [await client("ann"), await client("bob", { idleTimeout: 0 })];
  const id = bob.getId()!;
  const link = ann.link(id);
  const call = () => ann.get(id).call("Any", undefined, { keepAlive: false }).first();
  let again: Promise<unknown> | undefined;
  const first = call();
  await clock.advance(100);
  expect(await first).toBe("bob");
  link.subscribe(({ status }) => {
    if (status === "idle") again ??= call();
  });
  await clock.advance(2_000);
  expect(await again).toBe("bob");
});

test("a message sent again from the error event has the same time limit as any other", async () => {
  const { clock, network, client } = createWorld();
  const [ann, bob] = [await client("ann"), await client("bob")];
  const id = bob.getId()!;
  const arrived: unknown[] = [];
  bob.module("Note", ({ request }) => void arrived.push(request));
  network.partition(id);
  const failed: string[] = [];
  ann.on("error", ({ code }) => {
    failed.push(code);
    ann.get(id).message("Note", `try ${failed.length + 1}`);
  });
  ann.get(id).message("Note", "try 1");
  await clock.advance(31_000);
  expect(failed).toEqual(["link-failed", "link-failed"]);
  network.heal();
  await clock.advance(14_000);
  expect(arrived).toEqual(["try 3"]);
});

test("a link that was being made at sign-out is idle", async () => {
  const { clock, network, client } = createWorld();
  const [ann, bob] = [await client("ann"), await client("bob")];
  const id = bob.getId()!;
  network.partition(id);
  const link = ann.link(id);
  ann.get(id).call("Any");
  expect(link.peek().status).toBe("connecting");
  await ann.disconnect();
  expect(link.peek()).toEqual({ status: "idle" });
  await clock.advance(30_000);
  expect(link.peek()).toEqual({ status: "idle" });
});

test("a peer that only its link kept online is removed when the link ends", async () => {
  const { clock, network, client } = createWorld();
  const [ann, bob] = [await client("ann"), await client("bob")];
  const id = bob.getId()!;
  bob.module("Never", () => new Promise(() => {}));
  ann.get(id).call("Never", undefined, { timeout: 100_000 });
  await clock.advance(100);
  network.discovery.interrupt(id);
  await clock.advance(20_000);
  const seen: unknown[] = [];
  ann.on("peerdisconnect", (gone) => seen.push([gone, ann.link(id).peek().status, ann.peers.peek()]));
  expect([ann.peers.peek().length, ann.link(id).peek().status]).toEqual([1, "open"]);
  network.drop(id);
  await clock.advance(100);
  expect(seen).toEqual([[id, "failed", []]]);
});

test("two peers that sign out at once do not wait for each other", async () => {
  const { clock, network, client } = createWorld();
  const [ann, bob] = [await client("ann"), await client("bob")];
  ann.get("bob").call("Any");
  await clock.advance(100);
  expect(network.links).toBe(2);
  await Promise.all([ann.disconnect(), bob.disconnect()]);
  await clock.advance(20);
  expect([network.links, clock.waiting]).toEqual([0, 0]);
});

test("signing out as a link opens leaves nothing behind", async () => {
  const { clock, client } = createWorld();
  const [ann, bob] = [await client("ann"), await client("bob")];
  ann.link(bob.getId()!).subscribe(({ status }) => {
    if (status === "open") ann.disconnect();
  });
  ann.get("bob").call("Any");
  await clock.advance(100);
  await bob.disconnect();
  await clock.advance(60_000);
  expect([ann.status.peek(), clock.waiting]).toEqual(["offline", 0]);
});

test("signing out while a link is being made leaves nothing behind", async () => {
  const { clock, network, client } = createWorld();
  const [ann, bob] = [await client("ann"), await client("bob")];
  ann.link(bob.getId()!).subscribe(({ status }) => {
    if (status === "connecting") ann.disconnect();
  });
  ann.get("bob").call("Any");
  expect(network.links).toBe(0);
  await clock.advance(1_000);
  expect(network.links).toBe(0);
});

/** Ann, whose link to bob is idle, and cid. All of them keep their links for ten minutes. */
async function createFullClient(maxLinks: number) {
  const { clock, network, client } = createWorld();
  const ann = await client("ann", { maxLinks, idleTimeout: 600_000 });
  const bob = await client("bob", { idleTimeout: 600_000 });
  await client("cid", { idleTimeout: 600_000 });
  ann.get("bob").call("Any");
  await clock.advance(1_000);
  async function reaches(name: string): Promise<void> {
    const reply = ann.get(name).call("Any").first();
    await clock.advance(10_000);
    expect(await reply).toBe(name);
  }
  return { clock, network, client, ann, bob, reaches };
}

test("a link that has just sent a one-way message is closed for a waiting call", async () => {
  const { ann, reaches } = await createFullClient(1);
  ann.get("bob").message("Any");
  await reaches("cid");
});

test("if a peer keeps its link, another link is closed for a waiting call", async () => {
  const { client, bob, reaches } = await createFullClient(2);
  await client("dan");
  bob.get("ann").call("Any");
  await reaches("cid");
  await reaches("dan");
});

test("a link is closed for a waiting call when its peer's last call is over", async () => {
  const { clock, ann, bob, reaches } = await createFullClient(1);
  ann.module("Slow", () => new Promise((resolve) => clock.after(5_000, () => resolve("done"))));
  bob.get("ann").call("Slow", undefined, { keepAlive: false });
  await clock.advance(100);
  await reaches("cid");
});

test.each([1, 3])("%d peers that keep their links for ever are evicted in time for a waiting call", async (count) => {
  const { clock, client } = createWorld();
  const ann = await client("ann", { maxLinks: count });
  const holders: string[] = [];
  for (let holder = 0; holder < count; holder++) {
    const bob = await client(`bob ${holder}`, { idleTimeout: Number.POSITIVE_INFINITY });
    holders.push(bob.getId() as string);
    ann.get(`bob ${holder}`).call("Any");
    await clock.advance(100);
    bob.get("ann").call("Any");
  }
  await client("cid");
  await clock.advance(20_000);
  const reply = ann.get("cid").call("Any").all();
  await clock.advance(10_000);
  expect(await reply).toMatchObject([{ value: "cid" }]);
  expect(holders.filter((peer) => ann.link(peer).peek().status === "open")).toHaveLength(count - 1);
});

test("a call ends with its own deadline while a peer's call keeps the only link in use", async () => {
  const { clock, ann, bob } = await createFullClient(1);
  ann.module("Never", () => new Promise(() => {}));
  bob.get("ann").call("Never", undefined, { timeout: Number.POSITIVE_INFINITY });
  await clock.advance(100);
  const reply = ann.get("cid").call("Any", undefined, { timeout: 20_000 }).all();
  await clock.advance(25_000);
  expect(await reply).toMatchObject([{ error: { code: "timeout" } }]);
  expect(ann.link(bob.getId() as string).peek().status).toBe("open");
});

test("links are closed for calls that were made without the server", async () => {
  const { clock, network, ann } = await createFullClient(1);
  network.discovery.interrupt(ann.getId());
  await clock.advance(100);
  const reply = ann.get("cid").call("Any").first();
  await clock.advance(100);
  network.discovery.restore(ann.getId());
  await clock.advance(10_000);
  expect(await reply).toBe("cid");
});

test("two dials that cross stay within the limit", async () => {
  const { clock, client } = createWorld();
  const hub = await client("hub", { maxLinks: 1, idleTimeout: 600_000 });
  const others: Client[] = [];
  for (let count = 0; count < 6; count++) others.push(await client(`user ${count}`, { idleTimeout: 600_000 }));
  // The hub's dial yields to the dial of a peer with a smaller id.
  const [crossing] = others.filter((other) => other.getId()! < hub.getId()!);
  const [first, last] = others.filter((other) => other !== crossing);
  first!.get("hub").call("Any", undefined, { keepAlive: false });
  hub.get(crossing!.getId()!).call("Any");
  crossing!.get("hub").call("Any", undefined, { keepAlive: false });
  await clock.advance(88);
  expect(openLinks(hub)).toBe(1);
  const reply = hub.get(last!.getId()!).call("Any").first();
  for (let step = 0; step < 200; step++) {
    await clock.advance(50);
    expect(openLinks(hub)).toBeLessThanOrEqual(1);
  }
  expect(await reply).toMatch(/user/);
});

const events = fc.array(
  fc.record({
    what: fc.constantFrom("call", "message", "isCalled", "serverGoes", "serverReturns"),
    user: fc.nat(5),
    pause: fc.oneof(fc.constant(0), fc.nat(200), fc.nat(3_000)),
  }),
  { maxLength: 30 },
);

test(
  "whatever calls cross, no more links than the limit are open, and every call is answered",
  async () => {
    const ids = fc.integer({ min: 1, max: 1_000 });
    await fc.assert(
      fc.asyncProperty(events, fc.integer({ min: 1, max: 3 }), ids, async (history, maxLinks, seed) => {
        const { clock, network, client } = createWorld(seed);
        const hub = await client("hub", { maxLinks, idleTimeout: 600_000 });
        const others: Client[] = [];
        for (let count = 0; count < 6; count++) others.push(await client(`user ${count}`, { idleTimeout: 600_000 }));
        const id = hub.getId()!;
        const calls: Promise<readonly Reply<unknown>[]>[] = [];
        const callsOfUsers: typeof calls = [];
        const steps = {
          call: (user: number) => calls.push(hub.get(`user ${user}`).call("Any", undefined, { timeout: 20_000 }).all()),
          message: (user: number) => hub.get(`user ${user}`).message("Any"),
          // The caller does not keep its link.
          isCalled: (user: number) =>
            callsOfUsers.push(others[user]!.get("hub").call("Any", undefined, { keepAlive: false }).all()),
          serverGoes: () => network.discovery.interrupt(id),
          serverReturns: () => network.discovery.restore(id),
        };
        for (const { what, user, pause } of history) {
          steps[what as keyof typeof steps](user);
          await clock.advance(pause);
          expect(openLinks(hub)).toBeLessThanOrEqual(maxLinks);
        }
        network.discovery.restore(id);
        await clock.advance(35_000);
        for (const [reply] of await Promise.all(calls)) expect(reply).toMatchObject({ status: "fulfilled" });
        const serverLost = history.some(({ what }) => what === "serverGoes");
        for (const [reply] of await Promise.all(callsOfUsers)) {
          if (serverLost) expect(reply?.error?.code).not.toBe("busy");
          else expect(reply).toMatchObject({ status: "fulfilled" });
        }
        for (const client of [hub, ...others]) await client.disconnect();
        await clock.advance(2_000);
        expect([network.links, clock.waiting]).toEqual([0, 0]);
      }),
      { numRuns: runs(300) },
    );
  },
  runs(300) * 500,
);

interface FakeLink {
  readonly peer: string;
  readonly role: string;
  readonly events: LinkEvents;
  /** Ends the link. */
  close(reason?: BonevalueError): void;
  /** The steps of closing that were sent on control, with their times. */
  readonly steps: readonly (readonly [number, number])[];
}

interface FakePoolOptions {
  readonly maxLinks?: number;
  /** Overrides the methods of each link. */
  readonly link?: () => Partial<Link>;
  readonly service?: Partial<Service>;
  readonly online?: boolean;
}

/** A pool whose links open at once, to peers that say hello and leave the rest to the test. */
function createFakePool({ maxLinks = 64, link = () => ({}), service, online = true }: FakePoolOptions = {}) {
  const clock = createVirtualClock();
  const links: FakeLink[] = [];
  const signals: unknown[] = [];
  const reports: string[] = [];
  const hello = (peer: string) => ({ peer, message: 65_536, value: 1, calls: 1, streams: 1, window: 1, assembly: 1 });

  function open(peer: string, role: string): Link {
    const steps: [number, number][] = [];
    let events!: LinkEvents;
    const fake = createFakeLink({
      listen(listener) {
        events = listener;
        for (const channel of ["control", "bulk"] as const) events.message(channel, encode(createHello(hello(peer))));
      },
      send(channel, message) {
        for (const frame of channel === "control" ? decode(message, { value: 1_000, depth: 4 }) : [])
          if (frame[0] === Kind.close) steps.push([clock.now(), frame[1]]);
      },
      ...link(),
    });
    links.push({
      peer,
      role,
      steps,
      close: fake.close,
      get events() {
        return events;
      },
    });
    return fake;
  }

  const pool = createPool<Service>({
    transport: { open },
    clock,
    connectionPart: alreadyLoaded({}),
    maxLinks,
    idleTimeout: 30_000,
    self: () => "self",
    send: (_kind, _to, signal) => signals.push(signal),
    iceServers: () => [],
    openRelay: () => undefined,
    isKnown: () => true,
    identify: () => ({ verified: true }),
    connect: (options) =>
      createConnection<Service>({
        ...options,
        hello: hello("self"),
        limits: defaultLimits,
        serve: () => ({ isIdle: true, receive: () => {}, end: () => {}, ...service }),
      }),
    onInterrupted: () => reports.push("interrupted"),
    onClosed: (peer) => reports.push(`${peer} closed`),
  });
  if (online) pool.setOnline(true);

  /** Requests a link; `results` says what became of it. */
  function request(peer: string, failFast = false): () => void {
    return pool.whenOpen(peer, {
      failFast,
      begin: () => reports.push(`${peer} began`),
      fail: ({ code }) => reports.push(`${peer} failed: ${code}`),
    });
  }
  return { clock, pool, links, signals, reports, request };
}

test("twenty thousand peers can be requested at once, and withdrawn", () => {
  const { pool, reports, request } = createFakePool();
  for (let peer = 0; peer < 20_000; peer++) request(`peer ${peer}`);
  pool.close(new BonevalueError("cancelled", "The test is over."));
  expect(reports).toHaveLength(20_000);
});

test("a transport that reports busy is asked again every second while a call waits", async () => {
  const busy = new BonevalueError("busy", "The browser has no room for another connection.");
  let opened = 0;
  const { clock, pool, reports, request } = createFakePool({
    link: () => (++opened > 3 ? {} : { opened: Promise.reject(busy), closed: Promise.resolve(busy) }),
  });
  request("shared", true);
  await clock.advance(100);
  opened = 0;
  request("peer");
  await clock.advance(2_900);
  expect(pool.state("peer").peek()).toMatchObject({ status: "failed", error: busy });
  expect([opened, reports]).toEqual([3, ["shared failed: busy"]]);
  await clock.advance(200);
  expect([opened, reports]).toEqual([4, ["shared failed: busy", "peer began"]]);
  opened = 0;
  const withdraw = request("other");
  await clock.advance(100);
  const timers = clock.waiting;
  withdraw();
  expect(clock.waiting).toBe(timers - 1);
  await clock.advance(5_000);
  expect(opened).toBe(1);
});

test("a request that is made as another begins follows those that wait already", async () => {
  const { clock, pool } = createFakePool();
  const order: string[] = [];
  const request = (name: string, then = () => {}) =>
    pool.whenOpen("peer", {
      begin() {
        order.push(name);
        then();
      },
      fail: () => {},
    });
  request("first", () => request("third"));
  request("second");
  await clock.advance(10);
  expect(order).toEqual(["first", "second", "third"]);
});

test("withdrawing a request that has failed does not affect the next one", async () => {
  const { clock, pool, reports, request } = createFakePool();
  const withdraw = request("peer");
  pool.drop("peer", new BonevalueError("unknown-peer", "The peer has gone."));
  request("peer");
  withdraw();
  await clock.advance(10);
  expect(reports).toEqual(["peer failed: unknown-peer", "peer began"]);
});

test("closing dials no peer that waits for a slot, and forgets every peer's attempts", async () => {
  const { clock, pool, links, signals, request } = createFakePool({ maxLinks: 1 });
  pool.receive("peerRequest", "third", { attempt: 7, round: 0, end: "busy" });
  for (const peer of ["first", "second"]) request(peer);
  pool.close(new BonevalueError("cancelled", "The test is over."));
  await clock.advance(10);
  expect(links.map(({ peer }) => peer)).toEqual(["first"]);
  signals.length = 0;
  pool.receive("peerRequest", "third", { attempt: 3, round: 0 });
  expect(signals).toEqual([{ attempt: 3, round: 0, end: "disconnected" }]);
});

test("a dial that waits until others are open begins as soon as one is", async () => {
  const { clock, links, request } = createFakePool({ maxLinks: 8, service: { isIdle: false } });
  for (let peer = 0; peer < 8; peer++) request(`peer ${peer}`);
  expect(links).toHaveLength(7);
  await clock.advance(1);
  expect(links).toHaveLength(8);
});

test("when discovery is online again, the peers of open links are asked about them", async () => {
  const { clock, pool, signals, request } = createFakePool();
  request("peer");
  await clock.advance(10);
  signals.length = 0;
  pool.setOnline(false);
  expect(signals).toEqual([]);
  pool.setOnline(true);
  expect(signals).toEqual([expect.objectContaining({ round: 0 })]);
});

test("a protocol violation in the first message ends the link", async () => {
  const { clock, pool, links, reports, request } = createFakePool({
    link: () => ({ listen: ({ message }) => message("control", new Uint8Array([0xc1])) }),
  });
  request("peer");
  await clock.advance(2_000);
  expect(reports).toEqual(["peer began", "peer closed"]);
  expect(links[0]?.steps).toEqual([[0, CloseStep.offer]]);
  expect(pool.state("peer").peek()).toMatchObject({ status: "failed", error: { code: "protocol" } });
});

test("a peer is dialed only while discovery is online", async () => {
  const { clock, pool, links, request } = createFakePool({ online: false });
  request("peer");
  await clock.advance(1_000);
  expect(links).toEqual([]);
  pool.setOnline(true);
  expect(links).toHaveLength(1);
  pool.setOnline(false);
  request("other");
  await clock.advance(1_000);
  expect(links).toHaveLength(1);
});

test("an unused link is offered after a second if we dialed it, and after the idle time if the peer did", async () => {
  const { clock, pool, links, request } = createFakePool();
  const withdraw = request("dialed");
  withdraw();
  pool.receive("peerRequest", "accepted", { attempt: 1, round: 0, description: { type: "offer", sdp: "" } });
  await clock.advance(31_000);
  expect(links.map(({ role, steps }) => [role, steps[0]])).toEqual([
    ["caller", [1_000, CloseStep.offer]],
    ["callee", [30_000, CloseStep.offer]],
  ]);
});

test("requests that wait for the answer to an offer begin when the peer declines", async () => {
  const { clock, links, reports, request } = createFakePool();
  request("peer")();
  await clock.advance(1_000);
  request("peer");
  request("peer");
  expect(reports).toEqual([]);
  links[0]!.events.message("control", encode([Kind.close, CloseStep.decline]));
  expect(reports).toEqual(["peer began", "peer began"]);
});

test("requests that a request ends the link for do not begin on it", async () => {
  const { clock, pool, links, reports, request } = createFakePool();
  pool.whenOpen("peer", {
    begin: () => pool.connectionTo("peer")?.close(new BonevalueError("cancelled", "The test ends it.")),
    fail: () => {},
  });
  request("peer");
  await clock.advance(0);
  expect(reports).toEqual(["peer closed"]);
  links[0]!.close();
  await clock.advance(0);
  expect([links.length, reports]).toEqual([2, ["peer closed", "peer began"]]);
});

test("a link that opens while another peer waits for its slot is offered at once", async () => {
  const { clock, links, request } = createFakePool({ maxLinks: 1 });
  request("peer")();
  request("other");
  await clock.advance(0);
  expect(links.map(({ peer, steps }) => [peer, steps])).toEqual([["peer", [[0, CloseStep.offer]]]]);
});

test("an interrupted link is reported, and works again when it is restored", async () => {
  const { clock, pool, links, reports, request } = createFakePool();
  const lost = new BonevalueError("disconnected", "Nothing arrives.");
  request("peer");
  await clock.advance(0);
  links[0]!.events.interrupted(lost);
  expect(pool.state("peer").peek()).toMatchObject({ status: "interrupted", error: lost });
  expect(reports).toEqual(["peer began", "interrupted"]);
  links[0]!.events.restored();
  expect(pool.state("peer").peek()).toEqual({ status: "open", verified: true });
});

test.each([true, false])("the end of a link is signaled only if it is interrupted: %s", async (interrupted) => {
  const { clock, links, signals, request } = createFakePool();
  const lost = new BonevalueError("disconnected", "Nothing arrives.");
  request("peer");
  await clock.advance(0);
  links[0]!.events.interrupted(lost);
  if (!interrupted) links[0]!.events.restored();
  links[0]!.close(lost);
  await clock.advance(0);
  expect(signals).toEqual(interrupted ? [{ attempt: expect.any(Number), round: 0, end: "disconnected" }] : []);
});

test("a request that does not wait fails with busy while all links are in use, and its peer is not dialed later", async () => {
  const { clock, pool, links, reports, request } = createFakePool({ maxLinks: 1, service: { isIdle: false } });
  request("peer");
  await clock.advance(0);
  request("other", true);
  expect(reports).toEqual(["peer began", "other failed: busy"]);
  pool.drop("peer", new BonevalueError("disconnected", "The peer has gone."));
  await clock.advance(5_000);
  expect(links).toHaveLength(1);
});

test("a request that waits stays queued when one that does not wait fails", async () => {
  const { clock, pool, links, reports, request } = createFakePool({ maxLinks: 1, service: { isIdle: false } });
  request("peer");
  await clock.advance(0);
  request("other");
  request("other", true);
  expect(reports).toEqual(["peer began", "other failed: busy"]);
  pool.drop("peer", new BonevalueError("disconnected", "The peer has gone."));
  await clock.advance(0);
  expect([links.length, reports.at(-1)]).toEqual([2, "other began"]);
});

test("a link that has ended frees no slot for others while its peer is dialed again", async () => {
  let opened = 0;
  const never = () => (opened++ > 0 ? { opened: new Promise<void>(() => {}) } : {});
  const { clock, links, reports, request } = createFakePool({ maxLinks: 1, link: never });
  request("peer");
  await clock.advance(0);
  links[0]!.close(new BonevalueError("disconnected", "The test ends it."));
  await clock.advance(0);
  request("peer");
  request("other", true);
  expect([links.length, reports]).toEqual([2, ["peer began", "peer closed", "other failed: busy"]]);
});

test("a link that has ended while a request waited for it frees no slot for others while its peer is dialed again", async () => {
  let opened = 0;
  const never = () => (opened++ > 0 ? { opened: new Promise<void>(() => {}) } : {});
  const { clock, links, reports, request } = createFakePool({ maxLinks: 1, link: never });
  request("peer")();
  await clock.advance(1_000);
  request("peer");
  links[0]!.close();
  await clock.advance(0);
  request("other", true);
  expect([links.length, reports]).toEqual([2, ["peer closed", "other failed: busy"]]);
});

test("a link whose last frame is still being sent is no open link any more", async () => {
  const { clock, pool, reports, request } = createFakePool();
  request("peer");
  await clock.advance(0);
  pool.connectionTo("peer")?.close(new BonevalueError("cancelled", "The test ends it."));
  expect([pool.connectionTo("peer"), reports]).toEqual([undefined, ["peer began", "peer closed"]]);
});

test("a queued peer whose request is withdrawn is not dialed", async () => {
  const { clock, pool, links, request } = createFakePool({ maxLinks: 1, service: { isIdle: false } });
  request("peer");
  await clock.advance(0);
  request("other")();
  pool.drop("peer", new BonevalueError("disconnected", "The peer has gone."));
  await clock.advance(5_000);
  expect(links).toHaveLength(1);
});

test("dropping a peer fails its requests and ends its attempt; a peer that was not dialed stays idle", () => {
  const { pool, signals, reports, request } = createFakePool({ maxLinks: 1 });
  const gone = new BonevalueError("disconnected", "The peer has gone.");
  for (const peer of ["dialed", "queued"]) request(peer);
  for (const peer of ["queued", "dialed"]) pool.drop(peer, gone);
  expect(reports).toEqual(["queued failed: disconnected", "dialed failed: disconnected"]);
  expect(signals).toEqual([{ attempt: expect.any(Number), round: 0, end: "cancelled" }]);
  expect(pool.state("queued").peek()).toEqual({ status: "idle" });
  expect(pool.state("dialed").peek()).toMatchObject({ status: "failed", error: gone });
});
