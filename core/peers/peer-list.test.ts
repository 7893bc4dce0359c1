import { expect, test } from "vitest";
import type { Peer, PeerId } from "../peer.ts";
import { type Change, createPeerList, type PeerList, type PeerSnapshot } from "./peer-list.ts";
import { createRegistry } from "./registry.ts";

const b1: Peer = { name: "Bob", id: "b1" };
const c1: Peer = { name: "Cyd", id: "c1" };
const own: Peer = { name: "Us", id: "a2" };

const lists = (peers: Peer[] = [], users = ["Bob", "Cyd"], self = "a1"): PeerSnapshot => ({
  self: { id: self },
  users,
  peers,
});

/** Signed in at 0 with `known` online, and open links to `linked`. */
function presenceOf({ known = [b1], linked = [] as PeerId[] } = {}) {
  const links = new Set(linked);
  const presence = createPeerList(createRegistry(), (id) => links.has(id));
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

const added = (peer: Peer): Change => ({ type: "peer-added", peer });
const removed = (peer: Peer): Change => ({ type: "peer-removed", peer });

test("a first snapshot adds users before their peers", () => {
  const presence = createPeerList(createRegistry(), () => false);
  expect(presence.snapshot(lists([own, b1], ["Bob"]), 0)).toEqual([
    { type: "user-added", alias: "Bob" },
    added(own),
    added(b1),
  ]);
});

test("a return without a difference changes nothing", () => {
  const { presence } = presenceOf({ known: [b1, own] });
  expect(outage(presence, 5, 10, lists([own, b1]))).toEqual([]);
});

test("a return tells only the differences, departures first", () => {
  const { presence } = presenceOf();
  expect(outage(presence, 5, 10, lists([{ name: "Dan", id: "d1" }, c1], ["Cyd", "Dan"]))).toEqual([
    removed(b1),
    { type: "user-removed", alias: "Bob" },
    { type: "user-added", alias: "Dan" },
    added({ name: "Dan", id: "d1" }),
    added(c1),
  ]);
});

test("a peer that comes back within 20 s of our return was never gone", () => {
  const { presence } = presenceOf({ known: [b1, own] });
  expect(outage(presence, 5, 10, lists())).toEqual([]);
  expect(presence.expire(20_009)).toEqual([]);
  expect(presence.peerConnect(b1)).toEqual([]);
  expect(presence.peerConnect(own)).toEqual([]);
  expect(presence.nextExpiry()).toBe(Number.POSITIVE_INFINITY);
});

test("a peer that does not come back within 20 s of our return is gone, our own other logins included", () => {
  const { presence } = presenceOf({ known: [b1, own] });
  outage(presence, 5, 10, lists());
  expect(presence.nextExpiry()).toBe(20_010);
  expect(presence.expire(20_010)).toEqual([removed(b1), removed(own)]);
});

test("a peer that does not come back stays while its link is open, for 60 s more", () => {
  const { presence } = presenceOf({ linked: ["b1"] });
  outage(presence, 5, 10, lists());
  expect(presence.expire(20_010)).toEqual([]);
  expect(presence.nextExpiry()).toBe(80_010);
  expect(presence.expire(80_010)).toEqual([removed(b1)]);
});

test("a peer whose user is gone at our return goes at once, link and all", () => {
  const { presence } = presenceOf({ linked: ["b1"] });
  expect(outage(presence, 5, 10, lists([], ["Cyd"]))).toEqual([removed(b1), { type: "user-removed", alias: "Bob" }]);
});

test("a lost peer without a link goes at once", () => {
  const { presence } = presenceOf();
  expect(presence.peerDisconnect("b1", true, 5)).toEqual([removed(b1)]);
});

test("a lost peer with an open link stays for 60 s, and goes when its link does", () => {
  const staying = presenceOf({ linked: ["b1"] });
  expect(staying.presence.peerDisconnect("b1", true, 5)).toEqual([]);
  expect(staying.presence.expire(60_004)).toEqual([]);
  expect(staying.presence.expire(60_005)).toEqual([removed(b1)]);

  const cut = presenceOf({ linked: ["b1"] });
  cut.presence.peerDisconnect("b1", true, 5);
  expect(cut.unlink("b1")).toEqual([removed(b1)]);
});

test("a second word of its loss does not lengthen a peer's stay", () => {
  const { presence } = presenceOf({ linked: ["b1"] });
  presence.peerDisconnect("b1", true, 0);
  presence.peerDisconnect("b1", true, 50_000);
  expect(presence.nextExpiry()).toBe(60_000);
});

test("the link of a peer that is not lost may close without its going", () => {
  const { unlink } = presenceOf({ linked: ["b1"] });
  expect(unlink("b1")).toEqual([]);
});

test("time that we spend offline does not count", () => {
  const { presence } = presenceOf({ linked: ["b1"] });
  presence.peerDisconnect("b1", true, 0);
  presence.offline(10_000);
  expect(presence.nextExpiry()).toBe(Number.POSITIVE_INFINITY);
  expect(presence.expire(500_000)).toEqual([]);
  expect(presence.snapshot(lists(), 600_000)).toEqual([]);
  expect(presence.nextExpiry()).toBe(650_000);
});

test("a lost peer that connects again is simply there", () => {
  const { presence, unlink } = presenceOf({ linked: ["b1"] });
  presence.peerDisconnect("b1", true, 0);
  expect(presence.peerConnect(b1)).toEqual([]);
  expect(presence.expire(1e9)).toEqual([]);
  expect(unlink("b1")).toEqual([]);
});

test("a peer that has left goes at once, whatever its link", () => {
  const { presence } = presenceOf({ linked: ["b1"] });
  expect(presence.peerDisconnect("b1", false, 0)).toEqual([removed(b1)]);
});

test("the departure of a peer that nobody knows is ignored, lost or not", () => {
  const { presence } = presenceOf({ linked: ["x1"] });
  expect(presence.peerDisconnect("x1", true, 0)).toEqual([]);
  expect(presence.peerDisconnect("x1", false, 0)).toEqual([]);
  expect(presence.nextExpiry()).toBe(Number.POSITIVE_INFINITY);
});

test("a user who is removed takes along the peers that are still there", () => {
  const { presence } = presenceOf({ known: [b1, c1] });
  expect(presence.userRemove("Bob")).toEqual([removed(b1), { type: "user-removed", alias: "Bob" }]);
  expect(presence.userRemove("Bob")).toEqual([]);
});

test("a user is added once, and before a peer that came ahead of it", () => {
  const { presence } = presenceOf();
  const dan: Peer = { name: "Dan", id: "d1" };
  expect(presence.peerConnect(dan)).toEqual([{ type: "user-added", alias: "Dan" }, added(dan)]);
  expect(presence.userAdd("Dan")).toEqual([]);
});

test("a peer that comes back under another name is another peer", () => {
  const { presence } = presenceOf();
  const renamed: Peer = { name: "Robert", id: "b1" };
  expect(presence.peerConnect(renamed)).toEqual([removed(b1), { type: "user-added", alias: "Robert" }, added(renamed)]);
});

test("we ourselves are never among the peers", () => {
  const { presence } = presenceOf();
  expect(presence.peerConnect({ name: "Us", id: "a1" })).toEqual([]);
  expect(outage(presence, 5, 10, lists([b1, { name: "Us", id: "a1" }]))).toEqual([]);
});

test("coming back as another peer ends all links, and with them the stay of lost peers", () => {
  const { presence } = presenceOf({ known: [b1, c1], linked: ["b1", "c1"] });
  presence.peerDisconnect("b1", true, 0);
  expect(outage(presence, 5, 10, lists([c1], ["Bob", "Cyd"], "a9"))).toEqual([{ type: "links-ended" }, removed(b1)]);
});
