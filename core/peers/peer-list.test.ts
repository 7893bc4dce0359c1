import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test, vi } from "vitest";
import type { Peer, PeerId, PeerInfo } from "../peer.ts";
import { type Change, createPeerList, type PeerList, type PeerSnapshot } from "./peer-list.ts";
import { createRegistry } from "./registry.ts";
import { plainProfiles } from "./testing/plain-profiles.ts";

const b1: PeerInfo = { name: "Bob", id: "b1" };
const c1: PeerInfo = { name: "Cyd", id: "c1" };
const own: PeerInfo = { name: "Us", id: "a2" };

const lists = (peers: PeerInfo[] = [], users = ["Bob", "Cyd"], self = "a1"): PeerSnapshot => ({
  self: { id: self },
  users,
  peers,
});

/** Signed in at 0 with `known` online, and open links to `linked`. */
function presenceOf({ known = [b1], linked = [] as PeerId[] } = {}) {
  const links = new Set(linked);
  const presence = createPeerList(
    createRegistry(),
    (id) => links.has(id),
    plainProfiles,
    () => {},
  );
  presence.snapshot(lists(known), 0);
  const unlink = (id: PeerId) => {
    links.delete(id);
    return presence.onLinkClosed(id);
  };
  return { presence, unlink };
}

/** Offline from `from`, back at `to` with `back`. */
function outage(presence: PeerList, from: number, to: number, back: PeerSnapshot): readonly Change[] {
  presence.offline(from);
  return presence.snapshot(back, to);
}

const peerOf = (info: PeerInfo) => ({ profile: {}, ...info }) as Peer;
const added = (info: PeerInfo): Change => ({ type: "peer-added", peer: peerOf(info) });
const updated = (info: PeerInfo): Change => ({ type: "peer-updated", peer: peerOf(info) });
const removed = (info: PeerInfo): Change => ({ type: "peer-removed", peer: peerOf(info) });

test("a first snapshot adds users before their peers", () => {
  const presence = createPeerList(
    createRegistry(),
    () => false,
    plainProfiles,
    () => {},
  );
  expect(presence.snapshot(lists([own, b1], ["Bob"]), 0)).toEqual([
    { type: "user-added", alias: "Bob" },
    added(own),
    added(b1),
  ]);
});

test("a reconnect without a difference changes nothing", () => {
  const { presence } = presenceOf({ known: [b1, own] });
  expect(outage(presence, 5, 10, lists([own, b1]))).toEqual([]);
});

test("a reconnect returns only the differences, removals first", () => {
  const { presence } = presenceOf();
  expect(outage(presence, 5, 10, lists([{ name: "Dan", id: "d1" }, c1], ["Cyd", "Dan"]))).toEqual([
    removed(b1),
    { type: "user-removed", alias: "Bob" },
    { type: "user-added", alias: "Dan" },
    added({ name: "Dan", id: "d1" }),
    added(c1),
  ]);
});

test("a peer that reappears within 20 s of the reconnect was never removed", () => {
  const { presence } = presenceOf({ known: [b1, own] });
  expect(outage(presence, 5, 10, lists())).toEqual([]);
  expect(presence.expire(20_009)).toEqual([]);
  expect(presence.peerConnect(b1)).toEqual([]);
  expect(presence.peerConnect(own)).toEqual([]);
  expect(presence.nextExpiry()).toBe(Number.POSITIVE_INFINITY);
});

test("a peer that does not reappear within 20 s of the reconnect is removed, also one of the same account", () => {
  const { presence } = presenceOf({ known: [b1, own] });
  outage(presence, 5, 10, lists());
  expect(presence.nextExpiry()).toBe(20_010);
  expect(presence.expire(20_010)).toEqual([removed(b1), removed(own)]);
});

test("a missing peer with an open link stays for 60 s more", () => {
  const { presence } = presenceOf({ linked: ["b1"] });
  outage(presence, 5, 10, lists());
  expect(presence.expire(20_010)).toEqual([]);
  expect(presence.nextExpiry()).toBe(80_010);
  expect(presence.expire(80_010)).toEqual([removed(b1)]);
});

test("a missing peer is removed after its 20 s, whether or not its link closes before", () => {
  const { presence, unlink } = presenceOf({ linked: ["b1"] });
  outage(presence, 5, 10, lists());
  expect(unlink("b1")).toEqual([]);
  expect(presence.expire(20_010)).toEqual([removed(b1)]);
});

test("removing a user leaves the link of another user's peer that has left", () => {
  const { presence } = presenceOf({ known: [b1, c1], linked: ["b1"] });
  presence.peerDisconnect("b1", false, 0);
  expect(presence.userRemove("Cyd")).toEqual([removed(c1), { type: "user-removed", alias: "Cyd" }]);
  expect(presence.expire(2_000)).toEqual([{ type: "link-ended", id: "b1" }]);
});

test("a peer whose user is removed is removed at once with its link", () => {
  const { presence } = presenceOf({ linked: ["b1"] });
  expect(outage(presence, 5, 10, lists([], ["Cyd"]))).toEqual([removed(b1), { type: "user-removed", alias: "Bob" }]);
});

test("a lost peer without a link is removed at once", () => {
  const { presence } = presenceOf();
  expect(presence.peerDisconnect("b1", true, 5)).toEqual([removed(b1)]);
});

test("a lost peer with an open link stays for 60 s, or until the link closes", () => {
  const staying = presenceOf({ linked: ["b1"] });
  expect(staying.presence.peerDisconnect("b1", true, 5)).toEqual([]);
  expect(staying.presence.expire(60_004)).toEqual([]);
  expect(staying.presence.expire(60_005)).toEqual([removed(b1)]);

  const cut = presenceOf({ linked: ["b1"] });
  cut.presence.peerDisconnect("b1", true, 5);
  expect(cut.unlink("b1")).toEqual([removed(b1)]);
});

test("the next expiry is the earliest, in whatever order the peers have gone", () => {
  const { presence } = presenceOf({ known: [b1, c1], linked: ["b1", "c1"] });
  presence.peerDisconnect("c1", false, 0);
  presence.peerDisconnect("b1", true, 10);
  expect(presence.nextExpiry()).toBe(2_000);
  presence.expire(2_000);
  expect(presence.nextExpiry()).toBe(60_010);
});

test("a second report of its loss does not keep a peer longer", () => {
  const { presence } = presenceOf({ linked: ["b1"] });
  presence.peerDisconnect("b1", true, 0);
  presence.peerDisconnect("b1", true, 50_000);
  expect(presence.nextExpiry()).toBe(60_000);
});

test("a peer that is not lost stays when its link closes", () => {
  const { unlink } = presenceOf({ linked: ["b1"] });
  expect(unlink("b1")).toEqual([]);
});

test("time offline does not count", () => {
  const { presence } = presenceOf({ linked: ["b1"] });
  presence.peerDisconnect("b1", true, 0);
  presence.offline(10_000);
  expect(presence.nextExpiry()).toBe(Number.POSITIVE_INFINITY);
  expect(presence.expire(500_000)).toEqual([]);
  expect(presence.snapshot(lists(), 600_000)).toEqual([]);
  expect(presence.nextExpiry()).toBe(650_000);
});

test("a snapshot without an outage, as from another socket, postpones no removal", () => {
  const { presence } = presenceOf({ linked: ["b1"] });
  presence.peerDisconnect("b1", true, 0);
  presence.snapshot(lists(), 10_000);
  expect(presence.nextExpiry()).toBe(60_000);
});

test("a lost peer that connects again stays", () => {
  const { presence, unlink } = presenceOf({ linked: ["b1"] });
  presence.peerDisconnect("b1", true, 0);
  expect(presence.peerConnect(b1)).toEqual([]);
  expect(presence.expire(1e9)).toEqual([]);
  expect(unlink("b1")).toEqual([]);
});

test("a peer that left with bye is removed at once", () => {
  const { presence } = presenceOf();
  expect(presence.peerDisconnect("b1", false, 0)).toEqual([removed(b1)]);
  expect(presence.nextExpiry()).toBe(Number.POSITIVE_INFINITY);
});

describe("the link of a peer that left with bye", () => {
  /** Bob's peer left at 0, when its link was open. `peer` is what the registry said of it. */
  function left() {
    const { presence, unlink } = presenceOf({ linked: ["b1"] });
    const [change] = presence.peerDisconnect("b1", false, 0);
    expect(change).toEqual({ type: "peer-removed", peer: peerOf(b1), keepsLink: true });
    return { presence, unlink, peer: (change as Extract<Change, { type: "peer-removed" }>).peer };
  }

  test("stays for 2 s, in which its requests are served", () => {
    const { presence, peer } = left();
    expect([presence.nextExpiry(), presence.serves(peer, "*")]).toEqual([2_000, true]);
    expect(["Bob", "Cyd"].map((alias) => presence.serves(peer, alias))).toEqual([true, false]);
    expect(presence.expire(2_000)).toEqual([{ type: "link-ended", id: "b1" }]);
    expect([presence.nextExpiry(), presence.serves(peer, "*")]).toEqual([Number.POSITIVE_INFINITY, false]);
  });

  test("may close earlier", () => {
    const { presence, unlink, peer } = left();
    expect(unlink("b1")).toEqual([]);
    expect([presence.nextExpiry(), presence.serves(peer, "*")]).toEqual([Number.POSITIVE_INFINITY, false]);
  });

  test("ends at once when its user is removed", () => {
    const { presence, peer } = left();
    expect(presence.userRemove("Bob")).toEqual([
      { type: "link-ended", id: "b1" },
      { type: "user-removed", alias: "Bob" },
    ]);
    expect(presence.serves(peer, "*")).toBe(false);
  });

  test("ends when a reconnect shows that its user is removed", () => {
    const { presence } = left();
    expect(outage(presence, 5, 10, lists([], ["Cyd"]))).toEqual([
      { type: "link-ended", id: "b1" },
      { type: "user-removed", alias: "Bob" },
    ]);
  });

  test("ends when the peer connects again", () => {
    const { presence, peer } = left();
    expect(presence.peerConnect(b1)).toEqual([{ type: "link-ended", id: "b1" }, added(b1)]);
    expect([presence.nextExpiry(), presence.serves(peer, "*")]).toEqual([Number.POSITIVE_INFINITY, false]);
  });

  test("ends with all others when this client gets a new peer id", () => {
    const { presence, peer } = left();
    expect(outage(presence, 5, 10, lists([], ["Bob", "Cyd"], "a9"))).toEqual([{ type: "links-ended" }]);
    expect([presence.nextExpiry(), presence.serves(peer, "*")]).toEqual([Number.POSITIVE_INFINITY, false]);
  });
});

test("nothing is kept of the profiles of peers that have left", async () => {
  const links = new Set<PeerId>();
  const encode = ({ id }: PeerInfo) => JSON.stringify({ id, text: "x".repeat(1_000) });
  const presence = createPeerList(
    createRegistry(),
    (id) => links.has(id),
    { encode, validate: () => ({}) },
    () => {},
  );
  presence.snapshot(lists([], ["Bob"]), 0);
  const before = await heapUsed();
  for (let guest = 0; guest < 20_000; guest++) {
    const id = `g${guest}`;
    links.add(id);
    presence.peerConnect({ name: "Bob", id });
    presence.peerDisconnect(id, false, guest);
    links.delete(id);
    presence.onLinkClosed(id);
  }
  expect((await heapUsed()) - before).toBeLessThan(5_000_000);
  // The list is still in use.
  expect(presence.nextExpiry()).toBe(Number.POSITIVE_INFINITY);
});

/** The bytes that are in use after a garbage collection. */
async function heapUsed(): Promise<number> {
  await setImmediate();
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}

test("the departure of an unknown peer is ignored", () => {
  const { presence } = presenceOf({ linked: ["x1"] });
  expect(presence.peerDisconnect("x1", true, 0)).toEqual([]);
  expect(presence.peerDisconnect("x1", false, 0)).toEqual([]);
  expect(presence.nextExpiry()).toBe(Number.POSITIVE_INFINITY);
});

test("removing a user removes its peers first", () => {
  const { presence } = presenceOf({ known: [b1, c1] });
  expect(presence.userRemove("Bob")).toEqual([removed(b1), { type: "user-removed", alias: "Bob" }]);
  expect(presence.userRemove("Bob")).toEqual([]);
});

test("a user is added once, and before a peer that arrives earlier", () => {
  const { presence } = presenceOf();
  const dan: PeerInfo = { name: "Dan", id: "d1" };
  expect(presence.peerConnect(dan)).toEqual([{ type: "user-added", alias: "Dan" }, added(dan)]);
  expect(presence.userAdd("Dan")).toEqual([]);
});

test("a peer that returns under another name is another peer", () => {
  const { presence } = presenceOf();
  const renamed: PeerInfo = { name: "Robert", id: "b1" };
  expect(presence.peerConnect(renamed)).toEqual([removed(b1), { type: "user-added", alias: "Robert" }, added(renamed)]);
});

test("this client is never among its peers", () => {
  const { presence } = presenceOf();
  expect(presence.peerConnect({ name: "Us", id: "a1" })).toEqual([]);
  expect(outage(presence, 5, 10, lists([b1, { name: "Us", id: "a1" }]))).toEqual([]);
});

test("a new peer id ends all links and removes lost peers", () => {
  const { presence } = presenceOf({ known: [b1, c1], linked: ["b1", "c1"] });
  presence.peerDisconnect("b1", true, 0);
  expect(outage(presence, 5, 10, lists([c1], ["Bob", "Cyd"], "a9"))).toEqual([{ type: "links-ended" }, removed(b1)]);
});

test("aliases of the server are normalized to NFC, in which queries look for them", () => {
  const registry = createRegistry();
  const list = createPeerList(
    registry,
    () => false,
    plainProfiles,
    () => {},
  );
  const [nfc, nfd] = ["Zo\u00eb", "Zoe\u0308"];
  const snapshot: PeerSnapshot = { self: { id: "a1" }, users: [nfd], peers: [{ id: "z1", name: nfd }] };
  list.snapshot(snapshot, 0);
  expect([registry.users.peek(), registry.ofUser(nfc)]).toEqual([[nfc], [{ id: "z1", name: nfc, profile: {} }]]);
  expect(list.snapshot(snapshot, 1)).toEqual([]);
  expect([...list.userAdd(nfd), ...list.peerConnect({ id: "z1", name: nfd })]).toEqual([]);
  expect(list.userRemove(nfd)).toEqual([removed({ id: "z1", name: nfc }), { type: "user-removed", alias: nfc }]);
});

test("a profile that has changed updates its peer, in place of a second arrival or in a snapshot", () => {
  const { presence } = presenceOf();
  const [here, away] = [
    { ...b1, profile: { status: "here" } },
    { ...b1, profile: { status: "away" } },
  ];
  expect(presence.peerUpdate("b1", here.profile)).toEqual([updated(here)]);
  expect([...presence.peerUpdate("b1", here.profile), ...presence.peerConnect(here)]).toEqual([]);
  expect(presence.peerConnect(away)).toEqual([updated(away)]);
  expect(outage(presence, 5, 10, lists([away, { ...c1, profile: here.profile }]))).toEqual([
    added({ ...c1, profile: here.profile }),
  ]);
  expect(outage(presence, 15, 20, lists([b1, c1]))).toEqual([updated(b1), updated(c1)]);
});

test("a profile of an unknown peer, or of this client, is ignored, and not validated", () => {
  const validate = vi.fn();
  const list = createPeerList(
    createRegistry(),
    () => false,
    { ...plainProfiles, validate },
    () => {},
  );
  list.snapshot(lists(), 0);
  expect([...list.peerUpdate("x1", { a: 1 }), ...list.peerUpdate("a1", { a: 1 })]).toEqual([]);
  expect(validate).not.toHaveBeenCalled();
});

test("a peer that leaves takes its profile with it", () => {
  const { presence } = presenceOf();
  const here = { ...b1, profile: { status: "here" } };
  presence.peerUpdate("b1", here.profile);
  expect(presence.peerDisconnect("b1", false, 1)).toEqual([removed(here)]);
  expect([...presence.peerConnect(b1), ...presence.peerUpdate("b1", here.profile)]).toEqual([added(b1), updated(here)]);
});

test("of profiles whose schema takes time only the newest is used", async () => {
  const validations: ((profile: object) => void)[] = [];
  const used: unknown[] = [];
  const slowly = () => new Promise<object>((resolve) => validations.push(resolve));
  const list = createPeerList(
    createRegistry(),
    () => false,
    { ...plainProfiles, validate: slowly },
    (id, profile) => used.push([...list.profileValidated(id, profile)]),
  );
  list.snapshot(lists([b1]), 0);
  expect([...list.peerUpdate("b1", { n: 1 }), ...list.peerUpdate("b1", { n: 2 })]).toEqual([]);
  validations[1]?.({ n: 2 });
  validations[0]?.({ n: 1 });
  await Promise.resolve();
  expect(used).toEqual([[updated({ ...b1, profile: { n: 2 } })]]);
  list.peerUpdate("b1", { n: 3 });
  list.peerDisconnect("b1", false, 1);
  validations[2]?.({ n: 3 });
  await Promise.resolve();
  expect(used).toHaveLength(1);
});
