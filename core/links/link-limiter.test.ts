import { expect, test } from "vitest";
import { createLinkLimiter, type LinkHolder } from "./link-limiter.ts";

interface Peer extends LinkHolder {
  readonly name: string;
  connection?: LinkHolder["connection"];
}

/** A limiter that is online until a test sets `online`, with a log of what it decides. */
function createTestLimiter(maxLinks: number) {
  const log: string[] = [];
  const network = { online: true };
  const limiter = createLinkLimiter<Peer>({
    maxLinks,
    isOnline: () => network.online,
    dial: ({ name }) => log.push(`dial ${name}`),
    accept: ({ name }) => log.push(`accept ${name}`),
    refuse: ({ name }) => log.push(`refuse ${name}`),
  });
  function dial(...peers: readonly Peer[]): void {
    for (const peer of peers) limiter.enqueue(peer);
    limiter.drain();
  }
  function release(...peers: readonly Peer[]): void {
    for (const peer of peers) limiter.release(peer);
    limiter.drain();
  }
  return { ...limiter, network, log, dial, release };
}

type Five = [Peer, Peer, Peer, Peer, Peer];
const createPeers = () => ["ann", "bob", "cid", "dan", "eve"].map((name): Peer => ({ name })) as Five;

/** Opens connections, with a log of those that were asked to close. */
function createConnections() {
  const asked: string[] = [];
  function open(peer: Peer, lastUse: number, agrees = true): void {
    let accepting = true;
    peer.connection = {
      lastUse,
      get accepting() {
        return accepting;
      },
      offerClose() {
        asked.push(peer.name);
        if (agrees) accepting = false;
        return agrees;
      },
    };
  }
  return { asked, open };
}

test("peers are dialed in the order of the queue while there are free slots", () => {
  const { dial, release, holds, log } = createTestLimiter(2);
  const [ann, bob, cid, dan] = createPeers();
  dial(ann, bob, cid, dan);
  expect(log).toEqual(["dial ann", "dial bob"]);
  release(ann);
  expect(log).toEqual(["dial ann", "dial bob", "dial cid"]);
  expect([ann, bob, cid, dan].map(holds)).toEqual([false, true, true, false]);
});

test("a peer is queued once, and a released peer is not dialed", () => {
  const { dial, release, log } = createTestLimiter(1);
  const [ann, bob, cid] = createPeers();
  dial(ann, bob, cid, cid);
  release(bob, ann);
  release(cid);
  expect(log).toEqual(["dial ann", "dial cid"]);
});

test("offline, no peer is admitted and no connection is asked to close", () => {
  const { network, dial, admit, drain, log } = createTestLimiter(3);
  const { asked, open } = createConnections();
  const [ann, bob, cid, dan] = createPeers();
  dial(ann);
  open(ann, 0);
  network.online = false;
  dial(bob, dan);
  admit(cid);
  expect([log, asked]).toEqual([["dial ann", "refuse cid"], []]);
  network.online = true;
  drain();
  expect([log.slice(2), asked]).toEqual([["dial bob", "dial dan"], []]);
});

test("an app that goes offline while a peer is dialed stops the queue", () => {
  const network = { online: true };
  const dialed: LinkHolder[] = [];
  const { enqueue, drain } = createLinkLimiter({
    maxLinks: 2,
    isOnline: () => network.online,
    dial(peer) {
      dialed.push(peer);
      network.online = false;
    },
    accept: () => {},
    refuse: () => {},
  });
  for (let count = 0; count < 2; count++) enqueue({});
  drain();
  expect(dialed).toHaveLength(1);
});

test("dialed and accepted peers share the slots, and peers beyond them are refused", () => {
  const { dial, admit, release, holds, log } = createTestLimiter(2);
  const [ann, bob, cid] = createPeers();
  dial(ann);
  admit(bob);
  admit(cid);
  expect(log).toEqual(["dial ann", "accept bob", "refuse cid"]);
  release(cid, bob);
  admit(cid);
  expect(log.slice(3)).toEqual(["accept cid"]);
  expect([ann, bob, cid].map(holds)).toEqual([true, false, true]);
});

test("a peer that dials while we dial it takes no second slot", () => {
  const { dial, admit, log } = createTestLimiter(2);
  const [ann, bob, cid, dan] = createPeers();
  admit(ann);
  dial(bob);
  admit(bob);
  dial(cid);
  admit(dan);
  expect(log).toEqual(["accept ann", "dial bob", "accept bob", "refuse dan"]);
});

test("a peer that waits to be dialed and dials waits for one slot", () => {
  const { dial, admit, release, log } = createTestLimiter(1);
  const { open } = createConnections();
  const [ann, bob, cid] = createPeers();
  dial(ann);
  open(ann, 0);
  dial(bob);
  admit(bob);
  admit(cid);
  expect(log).toEqual(["dial ann", "refuse cid"]);
  release(ann);
  expect(log.slice(2)).toEqual(["dial bob", "accept bob"]);
});

test("dials that are not open leave an eighth of the slots to peers that dial us", () => {
  const { dial, admit, drain, log } = createTestLimiter(16);
  const { open } = createConnections();
  const peers = Array.from({ length: 20 }, (_, at): Peer => ({ name: `${at}` }));
  dial(...peers);
  expect(log).toEqual(Array.from({ length: 14 }, (_, at) => `dial ${at}`));
  const [ann, bob] = createPeers();
  admit(ann);
  expect(log.slice(14)).toEqual(["accept ann"]);
  open(peers[0]!, 0, false);
  drain();
  expect(log.slice(15)).toEqual(["dial 14"]);
  admit(bob);
  expect(log.slice(16)).toEqual(["refuse bob"]);
});

test("a peer that dials while it waits to be dialed is admitted once", () => {
  const { network, dial, admit, enqueue, log } = createTestLimiter(2);
  const [ann, bob] = createPeers();
  admit(ann);
  network.online = false;
  enqueue(bob);
  network.online = true;
  admit(bob);
  dial(bob);
  expect(log).toEqual(["accept ann", "dial bob", "accept bob"]);
});

test("for each queued peer one connection is asked to close: the least recently used", () => {
  const { dial } = createTestLimiter(3);
  const { asked, open } = createConnections();
  const [ann, bob, cid, dan, eve] = createPeers();
  dial(ann, bob, cid);
  for (const [peer, lastUse] of [[ann, 2_000] as const, [bob, 1_000] as const, [cid, 3_000] as const])
    open(peer, lastUse);
  dial(dan);
  expect(asked).toEqual(["bob"]);
  // Bob's connection is being closed for dan.
  dial(eve);
  expect(asked).toEqual(["bob", "ann"]);
});

test("if a connection stays open the next one is asked; peers without a connection are not", () => {
  const { dial } = createTestLimiter(3);
  const { asked, open } = createConnections();
  const [ann, bob, cid, dan] = createPeers();
  dial(ann, bob, cid);
  open(ann, 1_000, false);
  open(bob, 2_000);
  dial(dan);
  expect(asked).toEqual(["ann", "bob"]);
});

test("a peer that dials waits while a connection closes for it, and is refused when none does", () => {
  const { dial, admit, release, log } = createTestLimiter(2);
  const { asked, open } = createConnections();
  const [ann, bob, cid, dan] = createPeers();
  dial(ann);
  admit(bob);
  open(ann, 2_000, false);
  open(bob, 1_000);
  admit(cid);
  admit(dan);
  expect(asked).toEqual(["bob", "ann"]);
  expect(log.slice(2)).toEqual(["refuse dan"]);
  release(bob);
  expect(log.slice(3)).toEqual(["accept cid"]);
});

test("a queued peer is starved unless a slot is free, or about to be, for every peer of the queue", () => {
  const { network, dial, release, isStarved } = createTestLimiter(2);
  const { open } = createConnections();
  const [ann, bob, cid, dan] = createPeers();
  dial(ann, bob);
  expect(isStarved(ann)).toBe(false);
  open(ann, 1_000);
  open(bob, 2_000, false);
  dial(cid);
  expect(isStarved(cid)).toBe(false);
  dial(dan);
  expect(isStarved(dan)).toBe(true);
  network.online = false;
  release(ann, bob);
  expect(isStarved(dan)).toBe(false);
});

test("no connection is asked to close while a slot is free or no peer is queued", () => {
  const { dial, drain } = createTestLimiter(2);
  const { asked, open } = createConnections();
  const [ann, bob] = createPeers();
  dial(ann);
  open(ann, 0);
  dial(bob);
  open(bob, 0);
  drain();
  expect(asked).toEqual([]);
});
