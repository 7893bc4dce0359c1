import * as v from "valibot";
import { expect, test, vi } from "vitest";
import type { Client, ClientOptions } from "../client.ts";
import type { BonevalueError } from "../errors.ts";
import type { Profile } from "../peer.ts";
import { createNetwork, type NetworkOptions } from "../testing/network.ts";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { definePresence, type PeerPresence, type PresenceDefinition } from "./definition.ts";

const Cursor = definePresence("Cursor", v.object({ x: v.number() }));
const Anything = definePresence("Anything");

/** A network with clients that are signed in. */
async function createWorld({ latency = 5, ...options }: NetworkOptions = {}) {
  const clock = createVirtualClock();
  const network = createNetwork({ clock, latency, ...options });

  async function signIn(name: string, options?: Omit<ClientOptions, "discovery" | "transport">) {
    const client = network.client(name, options);
    const errors: BonevalueError[] = [];
    client.on("error", (error) => errors.push(error));
    const connected = client.connect("test", name, "");
    await clock.advance(100);
    await connected;
    return Object.assign(client, { errors, id: client.getId()! });
  }

  return { clock, network, signIn };
}

/** Subscribes, and returns what was shown. `values` maps each peer's name to its value, or to "stale" beside the value. */
function watch(client: Client, query: string | { peer: string } = "*", definition: PresenceDefinition = Cursor) {
  const lists: (readonly PeerPresence<any>[])[] = [];
  const stop = client
    .get(query)
    .presence(definition)
    .subscribe((list) => lists.push(list));
  return {
    stop,
    lists,
    get values() {
      return Object.fromEntries(
        lists.at(-1)!.map(({ peer, value, stale }) => [peer.name, stale ? [value, "stale"] : value]),
      );
    },
  };
}

async function pair(options?: NetworkOptions) {
  const world = await createWorld(options);
  const ann = await world.signIn("ann");
  const bob = await world.signIn("bob");
  return { ...world, ann, bob };
}

test("a subscriber gets the current value, then changes, and nothing after it has stopped", async () => {
  const { clock, network, ann, bob } = await pair();
  const mine = bob.presence(Cursor, { x: 1 });
  mine.set({ x: 2 });
  expect(mine.value).toEqual({ x: 2 });
  await clock.advance(1_000);
  expect(network.links).toBe(0);
  const seen = watch(ann);
  expect(seen.lists).toEqual([[]]);
  await clock.advance(100);
  expect(seen.values).toEqual({ bob: { x: 2 } });
  mine.set({ x: 3 });
  await clock.advance(20);
  expect(seen.values).toEqual({ bob: { x: 3 } });
  seen.stop();
  await clock.advance(100);
  const { length } = seen.lists;
  mine.set({ x: 4 });
  await clock.advance(100);
  expect(seen.lists).toHaveLength(length);
  expect(ann.get("*").presence(Cursor).peek()).toEqual([]);
  await clock.advance(120_000);
  expect(network.links).toBe(0);
});

test("a subscription waits for the name, and ends when it is withdrawn", async () => {
  const { clock, ann, bob } = await pair();
  const seen = watch(ann);
  await clock.advance(60_000);
  const mine = bob.presence(Cursor, { x: 1 });
  await clock.advance(20);
  expect(seen.values).toEqual({ bob: { x: 1 } });
  mine.stop();
  mine.set({ x: 2 });
  await clock.advance(20);
  expect(seen.values).toEqual({});
  bob.presence(Cursor, { x: 3 });
  await clock.advance(20);
  expect(seen.values).toEqual({ bob: { x: 3 } });
});

test("a page that never defines presence remembers nothing and answers nothing", async () => {
  const { clock, ann, bob } = await pair();
  const seen = watch(ann);
  await clock.advance(60_000);
  expect(seen.values).toEqual({});
  bob.module("Echo", ({ request }) => request);
  const reply = ann.get("bob").call("Echo", 1).first();
  await clock.advance(100);
  expect(await reply).toBe(1);
});

test("a peer outside of `allow` sees what it sees when the name is not offered", async () => {
  const { clock, ann, bob, signIn } = await pair();
  const cid = await signIn("cid");
  bob.presence(Cursor, { x: 1 }, { allow: "cid" });
  const [forbidden, allowed] = [watch(ann), watch(cid)];
  await clock.advance(1_000);
  expect([forbidden.values, allowed.values]).toEqual([{}, { bob: { x: 1 } }]);
  expect([ann.errors, bob.errors]).toEqual([[], []]);
});

test("peers that connect are subscribed to, and those that leave are removed", async () => {
  const { clock, ann, bob, signIn } = await pair();
  bob.presence(Cursor, { x: 1 });
  const seen = watch(ann);
  await clock.advance(100);
  const cid = await signIn("cid");
  cid.presence(Cursor, { x: 2 });
  await clock.advance(100);
  expect(seen.values).toEqual({ bob: { x: 1 }, cid: { x: 2 } });
  await cid.disconnect();
  await clock.advance(100);
  expect(seen.values).toEqual({ bob: { x: 1 } });
  await ann.disconnect();
  await clock.advance(1);
  expect(seen.values).toEqual({});
});

test("only the entry of the peer whose value changes is a new object", async () => {
  const { clock, ann, bob, signIn } = await pair();
  const cid = await signIn("cid");
  const mine = bob.presence(Cursor, { x: 1 });
  cid.presence(Cursor, { x: 2 });
  const seen = watch(ann);
  await clock.advance(100);
  const before = seen.lists.at(-1)!;
  mine.set({ x: 9 });
  await clock.advance(100);
  const after = seen.lists.at(-1)!;
  const changed = after.filter((entry) => !before.includes(entry)).map(({ peer }) => peer.name);
  expect(changed).toEqual(["bob"]);
  expect(Object.isFrozen(after) && after.every(Object.isFrozen)).toBe(true);
});

test("an entry shows the newest profile of its peer", async () => {
  const { clock, ann, bob } = await pair();
  bob.presence(Cursor, { x: 1 });
  const seen = watch(ann);
  await clock.advance(100);
  const profile = bob.setProfile({ mood: "fine" } as Profile);
  await clock.advance(1_000);
  await profile;
  expect(seen.lists.at(-1)).toMatchObject([{ peer: { profile: { mood: "fine" } }, value: { x: 1 } }]);
});

test("a value is stale while its link is dialed again, and current again afterwards", async () => {
  const { clock, network, ann, bob } = await pair();
  const mine = bob.presence(Cursor, { x: 1 });
  const seen = watch(ann);
  await clock.advance(100);
  network.drop(ann.id, bob.id);
  mine.set({ x: 2 });
  await clock.advance(1);
  expect(seen.values).toEqual({ bob: [{ x: 1 }, "stale"] });
  await clock.advance(200);
  expect(seen.values).toEqual({ bob: { x: 2 } });
  await clock.advance(20_000);
  expect(seen.values).toEqual({ bob: { x: 2 } });
});

test("a stale value is removed after 10 s, and the peer is dialed with back-off until it answers", async () => {
  const { clock, network, ann, bob } = await pair();
  bob.presence(Cursor, { x: 1 });
  const seen = watch(ann);
  await clock.advance(100);
  network.partition(ann.id, bob.id);
  network.drop(ann.id, bob.id);
  await clock.advance(9_900);
  expect(seen.values).toEqual({ bob: [{ x: 1 }, "stale"] });
  await clock.advance(200);
  expect(seen.values).toEqual({});
  await clock.advance(120_000);
  network.heal();
  await clock.advance(60_000);
  expect(seen.values).toEqual({ bob: { x: 1 } });
});

test("intermediate values are skipped, at most one in each interval is sent, and the latest arrives", async () => {
  const { clock, ann, bob } = await pair({ latency: 0 });
  const mine = bob.presence(Cursor, { x: 0 });
  const slow = bob.presence(Anything, 0, { interval: 500 });
  const [seen, rarely] = [watch(ann), watch(ann, "*", Anything)];
  await clock.advance(100);
  const before = [seen.lists.length, rarely.lists.length] as const;
  for (let x = 1; x <= 1_000; x++) {
    mine.set({ x });
    slow.set(x);
    await clock.advance(1);
  }
  const counts = [seen.lists.length - before[0], rarely.lists.length - before[1]];
  expect(counts[0]).toBeGreaterThan(50);
  expect(counts[0]).toBeLessThanOrEqual(63);
  expect(counts[1]).toBe(3);
  await clock.advance(500);
  expect([seen.values, rarely.values]).toEqual([{ bob: { x: 1_000 } }, { bob: 1_000 }]);
});

test("the latest value arrives 50 ms after its change although every lossy message is lost", async () => {
  const { clock, ann, bob } = await pair({ loss: 1 });
  const mine = bob.presence(Cursor, { x: 0 });
  const seen = watch(ann);
  await clock.advance(100);
  for (let x = 1; x <= 100; x++) {
    mine.set({ x });
    await clock.advance(10);
  }
  // The last change was 10 ms ago.
  await clock.advance(35);
  expect(seen.values).toEqual({ bob: { x: 0 } });
  await clock.advance(10);
  expect(seen.values).toEqual({ bob: { x: 100 } });
});

test("a large value arrives, one of more than 16 KiB is too large", async () => {
  const { clock, ann, bob } = await pair();
  const mine = bob.presence(Anything, "");
  const seen = watch(ann, "*", Anything);
  const largest = "x".repeat(16 * 1_024 - 3);
  mine.set(largest);
  expect(() => mine.set(`${largest}x`)).toThrow(expect.objectContaining({ code: "too-large" }));
  expect(mine.value).toBe(largest);
  expect(() => bob.presence(definePresence("Other"), `${largest}x`)).toThrow(
    expect.objectContaining({ code: "too-large" }),
  );
  await clock.advance(100);
  expect(seen.values).toEqual({ bob: largest });
});

test("values that cannot be sent are refused where they are set", async () => {
  const { bob } = await pair();
  const mine = bob.presence(Anything, null);
  for (const value of [() => {}, new ReadableStream(), { deep: Symbol("s") }]) {
    expect(() => mine.set(value)).toThrow(expect.objectContaining({ code: "invalid-request" }));
  }
  expect(mine.value).toBe(null);
});

test("a changed object has no effect before it is set again", async () => {
  const { clock, ann, bob } = await pair();
  const value = { x: 1 };
  bob.presence(Cursor, value);
  value.x = 2;
  const seen = watch(ann);
  await clock.advance(100);
  expect(seen.values).toEqual({ bob: { x: 1 } });
});

test("only the newest value of several that arrive together is validated", async () => {
  const { clock, ann, bob } = await pair({ latency: 0 });
  const validated: number[] = [];
  const Counted = definePresence(
    "Counted",
    v.pipe(
      v.number(),
      v.check((n) => validated.push(n) > 0),
    ),
  );
  const mine = bob.presence(Counted, 0, { interval: 0 });
  ann
    .get("*")
    .presence(Counted)
    .subscribe(() => {});
  await clock.advance(100);
  for (let n = 1; n <= 70; n++) {
    mine.set(n);
    await clock.advance(1);
  }
  await clock.advance(100);
  expect(validated.at(-1)).toBe(70);
  expect(validated.length).toBeLessThanOrEqual(12);
});

test("an invalid value is skipped and told to `error`, and the next valid one is shown", async () => {
  const { clock, ann, bob } = await pair();
  const mine = bob.presence(definePresence("Cursor"), { x: 1 });
  const seen = watch(ann);
  await clock.advance(100);
  mine.set({ x: "far" });
  await clock.advance(100);
  expect(seen.values).toEqual({ bob: { x: 1 } });
  expect(ann.errors).toEqual([expect.objectContaining({ code: "invalid-request", data: [expect.anything()] })]);
  expect(ann.errors[0]!.message).toContain(bob.id);
  mine.set({ x: 3 });
  await clock.advance(100);
  expect(seen.values).toEqual({ bob: { x: 3 } });
  expect(bob.errors).toEqual([]);
});

test("a schema may be asynchronous, and the newest value that arrives meanwhile is validated next", async () => {
  const { clock, ann, bob } = await pair();
  const pending: (() => void)[] = [];
  const Slow = definePresence(
    "Slow",
    v.pipeAsync(
      v.number(),
      v.checkAsync(() => new Promise((resolve) => pending.push(() => resolve(true)))),
    ),
  );
  const mine = bob.presence(Slow, 0);
  const seen = watch(ann, "*", Slow);
  await clock.advance(100);
  for (const n of [1, 2, 3]) {
    mine.set(n);
    await clock.advance(100);
  }
  expect(pending).toHaveLength(1);
  pending[0]!();
  await clock.advance(100);
  expect(seen.values).toEqual({ bob: 0 });
  pending[1]!();
  await clock.advance(100);
  expect(seen.values).toEqual({ bob: 3 });
  expect(pending).toHaveLength(2);
});

test("beyond `maxLinks` the nearest peers are chosen, and calls still find a link", async () => {
  const { clock, network, signIn } = await createWorld();
  const ann = await signIn("ann", { maxLinks: 8 });
  const others = [];
  for (let n = 0; n < 12; n++) others.push(await signIn(`user-${n}`));
  for (const other of others) {
    other.presence(Anything, other.id);
    other.module("Echo", ({ request }) => request);
  }
  const seen = watch(ann, "*", Anything);
  await clock.advance(1_000);
  const shown = new Set(Object.values(seen.values));
  expect(shown.size).toBe(7);
  const xor = (id: string) =>
    [...id].map((char, at) => String.fromCharCode(char.charCodeAt(0) ^ ann.id.charCodeAt(at)));
  const byDistance = others.map(({ id }) => id).sort((a, b) => (xor(a).join("") < xor(b).join("") ? -1 : 1));
  expect(shown).toEqual(new Set(byDistance.slice(0, 7)));
  const farthest = byDistance.at(-1)!;
  const reply = ann.get(farthest).call("Echo", 1).first();
  await clock.advance(200);
  expect(await reply).toBe(1);
  expect(network.links).toBe(16);
});

test("several views of one name share one subscription, and views of one peer are told about it only", async () => {
  const { clock, ann, bob, signIn } = await pair();
  const cid = await signIn("cid");
  const [bobs, cids] = [bob.presence(Cursor, { x: 1 }), cid.presence(Cursor, { x: 2 })];
  const [all, one] = [watch(ann), watch(ann, { peer: bob.id })];
  await clock.advance(100);
  const { length } = one.lists;
  cids.set({ x: 5 });
  await clock.advance(100);
  expect(all.values).toEqual({ bob: { x: 1 }, cid: { x: 5 } });
  expect(one.lists).toHaveLength(length);
  all.stop();
  bobs.set({ x: 6 });
  await clock.advance(100);
  expect(one.values).toEqual({ bob: { x: 6 } });
});

test("a view that replaces another at once keeps the values", async () => {
  const { clock, ann, bob } = await pair();
  bob.presence(Cursor, { x: 1 });
  const first = watch(ann);
  await clock.advance(100);
  first.stop();
  const second = watch(ann);
  await clock.advance(100);
  expect(second.lists).toEqual([[expect.objectContaining({ value: { x: 1 } })]]);
});

test("the same name cannot be offered twice at the same time", async () => {
  const { bob } = await pair();
  const mine = bob.presence(Cursor, { x: 1 });
  expect(() => bob.presence(Cursor, { x: 2 })).toThrow(expect.objectContaining({ code: "module-taken" }));
  mine.stop();
  mine.stop();
  bob.presence(Cursor, { x: 2 });
});

test("invalid arguments are refused", async () => {
  const { bob } = await pair();
  const invalid = expect.objectContaining({ code: "invalid-request" });
  expect(() => definePresence("x".repeat(129))).toThrow(invalid);
  expect(() => definePresence("")).toThrow(invalid);
  expect(() => definePresence(5 as unknown as string)).toThrow(invalid);
  for (const interval of [-1, Number.NaN, "5"]) {
    expect(() => bob.presence(Anything, 0, { interval: interval as number })).toThrow(invalid);
  }
  expect(() => bob.presence(Anything, 0, { allow: 5 as unknown as string })).toThrow(invalid);
  for (const definition of [undefined, null, "Cursor", { name: "Cursor" }]) {
    expect(() => bob.presence(definition as typeof Anything, 0)).toThrow(invalid);
    expect(() => bob.get("*").presence(definition as typeof Anything)).toThrow(invalid);
  }
});

test("names beyond the 128th are told to `error` and not subscribed to", async () => {
  const { clock, ann, bob } = await pair();
  for (let n = 0; n < 130; n++) {
    bob.presence(definePresence(`n${n}`), n);
  }
  const seen = Array.from({ length: 130 }, (_, n) => watch(ann, "*", definePresence(`n${n}`)));
  await clock.advance(500);
  expect(seen.filter(({ values }) => "bob" in values)).toHaveLength(128);
  expect(ann.errors.map(({ code }) => code)).toEqual(["busy", "busy"]);
});

test("a subscription keeps its link open, and a client that offers does not close it", async () => {
  const { clock, network, ann, bob } = await pair();
  const opened = vi.fn();
  bob.presence(Cursor, { x: 1 });
  watch(ann);
  await clock.advance(100);
  ann.link(bob.id).subscribe(({ status }) => opened(status));
  await clock.advance(600_000);
  expect(new Set(opened.mock.calls.flat())).toEqual(new Set(["open"]));
  expect(network.links).toBe(2);
});
