import { expect, test } from "vitest";
import { eventually } from "../tools/eventually.ts";
import type { Client } from "./client.ts";
import { createPeerList } from "./peers/peer-list.ts";
import { matches, type Query, resolve } from "./peers/query.ts";
import { createRegistry } from "./peers/registry.ts";
import { plainProfiles } from "./peers/testing/plain-profiles.ts";
import { createNetwork, type Network } from "./testing/network.ts";

/** Signs guests in to one room, in turn. */
async function enter(network: Network, room: string, ...names: string[]): Promise<Client[]> {
  const guests = names.map(() => network.client());
  for (const [at, guest] of guests.entries()) await guest.connect("test", { room, name: names[at] });
  await Promise.all(guests.map((guest) => eventually(() => expect(guest.peers.peek()).toHaveLength(names.length - 1))));
  return guests;
}

test("guests of a room see each other by the names that they chose, and call each other", async () => {
  const [ann, other] = await enter(createNetwork(), "demo", "Ann", "Ann");
  expect(ann!.self.peek()).toEqual({ id: ann!.getId(), username: "Ann", room: "demo" });
  expect(ann!.peers.peek()).toMatchObject([{ id: other!.getId(), name: "Ann" }]);
  expect(ann!.users.peek()).toEqual([]);
  other!.module("Echo", ({ request, peer }) => `${peer.name}: ${request}`);
  expect(await ann!.get("*").call("Echo", "Friday").first()).toBe("Ann: Friday");
  expect(await ann!.get(other!.getId()!).call("Echo", "Monday").first()).toBe("Ann: Monday");
});

test("a guest without a name is called Guest, and names are compared in NFC", async () => {
  const network = createNetwork();
  const [one, other] = [network.client(), network.client()];
  await one.connect("test", { room: "cafe\u0301" });
  await other.connect("test", { room: "café", name: "Zoe\u0308" });
  await eventually(() => expect(one.peers.peek()).toMatchObject([{ id: other.getId(), name: "Zoë" }]));
  expect(one.self.peek()).toMatchObject({ username: "Guest", room: "café" });
});

test("a room has no users: a guest with the name of a user matches no alias", async () => {
  const network = createNetwork();
  const ann = network.client("ann");
  await ann.connect("test", "ann", "");
  const [guest, other] = await enter(network, "ann", "bob", "ann");
  network.client("bob");
  expect(ann.peers.peek()).toEqual([]);
  for (const query of ["Us", "ann", "bob", { user: "ann" }, { user: "Us" }, { user: "bob" }] as const)
    expect(guest!.get(query).peers.peek()).toEqual([]);
  for (const [at, allow] of ["Us", "ann", { user: "ann" }, { user: "Us" }].entries())
    guest!.module(`Private ${at}`, () => "secret", { allow });
  for (const at of [0, 1, 2, 3]) {
    const [reply] = await other!.get("*").call(`Private ${at}`).all();
    expect(reply?.error?.code).toBe("forbidden");
  }
});

test.each(["Us", "*", "ann"])("a server that lets a guest be called %s opens nothing to it", (name) => {
  const registry = createRegistry();
  const list = createPeerList(
    registry,
    () => false,
    plainProfiles,
    () => {},
  );
  list.snapshot({ self: { id: "me", room: "demo" }, users: [], peers: [{ id: "p1", name }] }, 0);
  list.peerConnect({ id: "p2", name });
  expect(registry.all()).toHaveLength(2);
  expect(registry.users.peek()).toEqual([]);
  const closed: Query[] = ["Us", "ann", name === "*" ? { user: "*" } : name, { user: name }, { peer: name }];
  for (const query of closed) {
    expect(resolve(query, registry)).toEqual([]);
    for (const peer of registry.all()) expect(matches(query, peer.id, registry)).toBe(false);
  }
  for (const peer of registry.all()) expect(matches("*", peer.id, registry)).toBe(true);
});

test("the lists of a room follow its guests", async () => {
  const network = createNetwork();
  const [ann, bob] = await enter(network, "demo", "Ann", "Bob");
  const gone: string[] = [];
  ann!.on("peerdisconnect", (id) => gone.push(id));
  ann!.on("newuser", () => expect.unreachable());
  const id = bob!.getId()!;
  await bob!.disconnect();
  await eventually(() => expect(gone).toEqual([id]));
  await bob!.connect("test", { room: "demo", name: "Robert" });
  await eventually(() => expect(ann!.peers.peek()).toMatchObject([{ id: bob!.getId(), name: "Robert" }]));
});

test("a client that leaves a room for an account sees its users, and back", async () => {
  const network = createNetwork();
  const ann = network.client("ann");
  const bob = network.client("bob");
  const [guest] = await enter(network, "demo", "Guest");
  await ann.connect("test", { room: "demo" });
  await bob.connect("test", "bob", "");
  await eventually(() => expect(ann.peers.peek()).toMatchObject([{ id: guest!.getId(), name: "Guest" }]));
  await ann.connect("test", "ann", "");
  await eventually(() => expect(ann.peers.peek()).toMatchObject([{ id: bob.getId(), name: "bob" }]));
  expect(ann.users.peek()).toEqual(["bob"]);
  expect(ann.self.peek()).not.toHaveProperty("room");
  await ann.connect("test", { room: "demo" });
  expect(ann.users.peek()).toEqual([]);
});

test("in a room, requests about trust and accounts are unsupported", async () => {
  const [guest] = await enter(createNetwork(), "demo", "Ann");
  const unsupported = { code: "unsupported", message: expect.stringContaining("room") };
  await expect(guest!.invite("dan@example.org")).rejects.toMatchObject(unsupported);
  await expect(guest!.requestToken("Dan")).rejects.toMatchObject(unsupported);
  await expect(guest!.claimToken("Dan", "token")).rejects.toMatchObject(unsupported);
  await expect(guest!.removeUser("Dan")).rejects.toMatchObject(unsupported);
  await expect(guest!.changePassword("old", "new")).rejects.toMatchObject(unsupported);
});

test("clients of different apps do not meet, in a room or with an account", async () => {
  const network = createNetwork();
  const todo = network.client("ann", { app: "todo" });
  const chat = network.client("bob", { app: "chat" });
  const other = network.client("bob", { app: "todo" });
  await todo.connect("test", "ann", "");
  await chat.connect("test", "bob", "");
  await other.connect("test", "bob", "");
  await eventually(() => expect(todo.peers.peek()).toMatchObject([{ id: other.getId(), name: "bob" }]));
  expect(chat.peers.peek()).toEqual([]);
  expect(chat.users.peek()).toEqual(["ann"]);
  await todo.connect("test", { room: "demo" });
  await chat.connect("test", { room: "demo" });
  await other.connect("test", { room: "demo" });
  await eventually(() => expect(todo.peers.peek().map(({ id }) => id)).toEqual([other.getId()]));
  expect(chat.peers.peek()).toEqual([]);
});
