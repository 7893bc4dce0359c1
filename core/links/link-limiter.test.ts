import { expect, test } from "vitest";
import { createLinkLimiter, type LinkHolder } from "./link-limiter.ts";

interface Peer extends LinkHolder {
  readonly name: string;
  connection?: LinkHolder["connection"];
}

/** Places that are open until a spec closes them, and who was let in so far. */
function house(count: number) {
  const admitted: string[] = [];
  const door = { open: true };
  const places = createLinkLimiter<Peer>({
    count,
    isOpen: () => door.open,
    admit: ({ name }) => admitted.push(name),
  });
  const peers = (...names: readonly string[]) => names.map((name): Peer => ({ name }));
  function arrive(...guests: readonly Peer[]): void {
    for (const guest of guests) places.enqueue(guest);
    places.drain();
  }
  return { ...places, door, admitted, peers, arrive };
}

/** Connections that agree to be asked, with a record of who was. */
function connections() {
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

test("who waits is let in while there is a place, in the order of the line", () => {
  const { peers, arrive, release, drain, holds, admitted } = house(2);
  const [ann, bob, cid, dan] = peers("ann", "bob", "cid", "dan") as [Peer, Peer, Peer, Peer];
  arrive(ann, bob, cid, dan);
  expect(admitted).toEqual(["ann", "bob"]);
  release(ann);
  drain();
  expect(admitted).toEqual(["ann", "bob", "cid"]);
  expect([ann, bob, cid, dan].map(holds)).toEqual([false, true, true, false]);
});

test("who joins the line twice stands in it once, and who leaves it is not let in", () => {
  const { peers, arrive, release, drain, admitted } = house(1);
  const [ann, bob, cid] = peers("ann", "bob", "cid") as [Peer, Peer, Peer];
  arrive(ann, bob, cid, cid);
  for (const gone of [bob, ann]) release(gone);
  drain();
  release(cid);
  drain();
  expect(admitted).toEqual(["ann", "cid"]);
});

test("nobody is let in, or asked to go, before it is open", () => {
  const { door, peers, arrive, drain, admitted } = house(1);
  const { asked, open } = connections();
  const [ann, bob] = peers("ann", "bob") as [Peer, Peer];
  arrive(ann);
  open(ann, 0);
  door.open = false;
  arrive(bob);
  expect([admitted, asked]).toEqual([["ann"], []]);
  door.open = true;
  drain();
  expect([admitted, asked]).toEqual([["ann"], ["ann"]]);
});

test("who closes the door while a guest is let in keeps the others out", () => {
  const door = { open: true };
  const admitted: LinkHolder[] = [];
  const { enqueue, drain } = createLinkLimiter({
    count: 2,
    isOpen: () => door.open,
    admit(guest) {
      admitted.push(guest);
      door.open = false;
    },
  });
  for (let count = 0; count < 2; count++) enqueue({});
  drain();
  expect(admitted).toHaveLength(1);
});

test("for each who finds no place one connection is asked to close: that which was unused for longest", () => {
  const { peers, arrive } = house(3);
  const { asked, open } = connections();
  const guests = peers("ann", "bob", "cid") as [Peer, Peer, Peer];
  arrive(...guests);
  for (const [index, lastUse] of [2_000, 1_000, 3_000].entries()) open(guests[index]!, lastUse);
  arrive(...peers("dan"));
  expect(asked).toEqual(["bob"]);
  // One is on its way for the first of the line.
  arrive(...peers("eve"));
  expect(asked).toEqual(["bob", "ann"]);
});

test("where one stays the next is asked; those who are still dialed are not", () => {
  const { peers, arrive } = house(3);
  const { asked, open } = connections();
  const [ann, bob, cid] = peers("ann", "bob", "cid") as [Peer, Peer, Peer];
  arrive(ann, bob, cid);
  open(ann, 1_000, false);
  open(bob, 2_000);
  arrive(...peers("dan"));
  expect(asked).toEqual(["ann", "bob"]);
});

test("who waits is crowded out unless there is, or will be, a place for everybody in the line", () => {
  const { door, peers, arrive, release, isStarved } = house(2);
  const { open } = connections();
  const [ann, bob, cid, dan] = peers("ann", "bob", "cid", "dan") as [Peer, Peer, Peer, Peer];
  arrive(ann, bob);
  expect(isStarved(ann)).toBe(false);
  open(ann, 1_000);
  open(bob, 2_000, false);
  arrive(cid);
  expect(isStarved(cid)).toBe(false);
  arrive(dan);
  expect(isStarved(dan)).toBe(true);
  door.open = false;
  for (const gone of [ann, bob]) release(gone);
  expect(isStarved(dan)).toBe(false);
});

test("nobody is asked to go while there is a place, or when nobody waits", () => {
  const { peers, arrive, drain } = house(2);
  const { asked, open } = connections();
  const [ann, bob] = peers("ann", "bob") as [Peer, Peer];
  arrive(ann);
  open(ann, 0);
  arrive(bob);
  open(bob, 0);
  drain();
  expect(asked).toEqual([]);
});
