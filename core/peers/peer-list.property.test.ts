import { expect, test } from "vitest";
import { fc, runs } from "../../tools/property.ts";
import type { Alias, Peer, PeerId } from "../peer.ts";
import { type Change, createPeerList } from "./peer-list.ts";
import { createRegistry } from "./registry.ts";
import { plainProfiles } from "./testing/plain-profiles.ts";

const userOf: Record<PeerId, Alias> = { a2: "Us", a3: "Us", b1: "Bob", b2: "Bob", c1: "Cyd", d1: "Dan" };
const ids = Object.keys(userOf);
const aliases = ["Bob", "Cyd", "Dan"];

type Step =
  | { readonly do: "join" | "leave" | "lose" | "link" | "unlink" | "update"; readonly id: PeerId }
  | { readonly do: "trust" | "distrust"; readonly alias: Alias }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "go offline" | "come back" | "come back as another" };

const peerStep = fc.record({
  do: fc.constantFrom("join", "leave", "lose", "link", "unlink", "update"),
  id: fc.constantFrom(...ids),
});
const userStep = fc.record({ do: fc.constantFrom("trust", "distrust"), alias: fc.constantFrom(...aliases) });
const waitStep = fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 70_000 }) });
const lineStep = fc.record({ do: fc.constantFrom("go offline", "come back", "come back as another") });
const steps: fc.Arbitrary<Step[]> = fc.array(fc.oneof(peerStep, peerStep, userStep, waitStep, lineStep), {
  maxLength: 60,
  size: "max",
});

/** A server, its truth, and one client that holds what `changes` told it, and checks every one of them. */
function createWorld() {
  const online = new Set<PeerId>();
  const trusted = new Set<Alias>();
  const links = new Set<PeerId>();
  const shown = { peers: new Map<PeerId, Peer>(), users: new Set<Alias>() };
  const profiles = new Map<PeerId, { readonly version: number }>();
  let now = 0;
  let connected = false;
  let self = 0;
  const presence = createPeerList(
    createRegistry(),
    (id) => links.has(id),
    plainProfiles,
    () => {},
  );

  const reachable = (id: PeerId) => online.has(id) && (userOf[id] === "Us" || trusted.has(userOf[id] as Alias));
  const truth = () =>
    ids.filter(reachable).map((id) => ({ id, name: userOf[id] as Alias, profile: profiles.get(id) ?? {} }));

  const apply = (changes: readonly Change[]) => {
    for (const change of changes) applyOne(change);
  };
  function applyOne(change: Change) {
    if (change.type === "links-ended") return links.clear();
    if (change.type === "link-ended") return expect(links.delete(change.id) && shown.peers.has(change.id)).toBe(false);
    if (change.type === "user-added") {
      expect(shown.users.has(change.alias)).toBe(false);
      shown.users.add(change.alias);
    } else if (change.type === "user-removed") {
      expect([...shown.peers.values()].filter(({ name }) => name === change.alias)).toEqual([]);
      expect([...links].filter((id) => userOf[id] === change.alias)).toEqual([]);
      expect(shown.users.delete(change.alias)).toBe(true);
    } else if (change.type === "peer-added") {
      const { id, name } = change.peer;
      expect(shown.peers.has(id) || links.has(id)).toBe(false);
      expect(name === "Us" || shown.users.has(name)).toBe(true);
      shown.peers.set(id, change.peer);
    } else if (change.type === "peer-updated") {
      const { id, name, profile } = change.peer;
      expect(shown.peers.get(id)).toMatchObject({ id, name });
      expect(shown.peers.get(id)?.profile).not.toEqual(profile);
      shown.peers.set(id, change.peer);
    } else {
      const { id } = change.peer;
      expect(shown.peers.delete(id)).toBe(true);
      if (!change.keepsLink) links.delete(id);
      else expect(links.has(id)).toBe(true);
    }
  }

  function join(id: PeerId) {
    const before = reachable(id);
    online.add(id);
    if (connected && !before && reachable(id))
      apply(truth().flatMap((peer) => (peer.id === id ? presence.peerConnect(peer) : [])));
  }
  function update(id: PeerId) {
    profiles.set(id, { version: (profiles.get(id)?.version ?? 0) + 1 });
    if (connected && reachable(id)) apply(presence.peerUpdate(id, profiles.get(id)));
  }
  function leave(id: PeerId, lost: boolean) {
    const before = reachable(id);
    online.delete(id);
    if (connected && before) apply(presence.peerDisconnect(id, lost, now));
  }
  function trust(alias: Alias) {
    if (trusted.has(alias)) return;
    trusted.add(alias);
    if (!connected) return;
    apply(presence.userAdd(alias));
    for (const peer of truth()) if (peer.name === alias) apply(presence.peerConnect(peer));
  }
  function distrust(alias: Alias) {
    const gone = truth().filter(({ name }) => name === alias);
    if (!trusted.delete(alias) || !connected) return;
    for (const { id } of gone) apply(presence.peerDisconnect(id, false, now));
    apply(presence.userRemove(alias));
  }
  function wait(ms: number) {
    const end = now + ms;
    for (let due = presence.nextExpiry(); due <= end; due = presence.nextExpiry()) {
      expect(due).toBeGreaterThanOrEqual(now);
      now = due;
      apply(presence.expire(now));
      expect(presence.nextExpiry()).toBeGreaterThan(now);
    }
    now = end;
  }
  function reconnect() {
    connected = true;
    apply(presence.snapshot({ self: { id: `a1.${self}` }, users: [...trusted], peers: truth() }, now));
  }

  return {
    truth,
    trusted,
    shown,
    links,
    isOnline: () => connected,
    reconnect,
    wait,
    take(step: Step) {
      if (step.do === "join") join(step.id);
      else if (step.do === "leave" || step.do === "lose") leave(step.id, step.do === "lose");
      else if (step.do === "link" && shown.peers.has(step.id)) links.add(step.id);
      else if (step.do === "unlink" && links.delete(step.id)) apply(presence.onLinkClosed(step.id));
      else if (step.do === "update") update(step.id);
      else if (step.do === "trust") trust(step.alias);
      else if (step.do === "distrust") distrust(step.alias);
      else if (step.do === "wait") wait(step.ms);
      else if (step.do === "come back" && !connected) reconnect();
      else if (step.do === "come back as another" && !connected) {
        self++;
        reconnect();
      } else if (step.do === "go offline") {
        connected = false;
        presence.offline(now);
      }
    },
  };
}

test("in every history each change is a difference in the right order, and at rest the lists are the server's", () => {
  fc.assert(
    fc.property(steps, (taken) => {
      const world = createWorld();
      for (const step of taken) world.take(step);
      if (!world.isOnline()) world.reconnect();
      world.wait(80_001);
      expect([...world.shown.peers.values()].sort(byId)).toEqual(world.truth().sort(byId));
      expect(new Set(world.shown.users)).toEqual(world.trusted);
    }),
    { numRuns: runs(2_000) },
  );
});

test("while online, a link is to a peer that is in the list, or to one that left less than 2 s ago", () => {
  fc.assert(
    fc.property(steps, (taken) => {
      const world = createWorld();
      for (const step of taken) world.take(step);
      if (!world.isOnline()) world.reconnect();
      world.wait(2_000);
      for (const id of world.links) expect(world.shown.peers.has(id)).toBe(true);
    }),
    { numRuns: runs(2_000) },
  );
});

test("while online, a peer that the server does not list has a link, or has been missing for less than 20 s", () => {
  fc.assert(
    fc.property(steps, (taken) => {
      const world = createWorld();
      for (const step of taken) world.take(step);
      if (!world.isOnline()) world.reconnect();
      world.wait(20_000);
      const there = new Set(world.truth().map(({ id }) => id));
      for (const id of world.shown.peers.keys()) expect(there.has(id) || world.links.has(id)).toBe(true);
    }),
    { numRuns: runs(2_000) },
  );
});

function byId(a: Peer, b: Peer): number {
  return a.id < b.id ? -1 : 1;
}
