import { expect, test } from "vitest";
import type { Cluster } from "./cluster/cluster.ts";
import { createLocalCluster } from "./cluster/local.ts";
import { roomGroup } from "./groups.ts";
import type { ServerOptions } from "./server.ts";
import { openSqliteStore } from "./store/sqlite.ts";
import { recordCalls } from "./testing/recording-store.ts";
import { type Peer, password, startTestServer } from "./testing/test-server.ts";

/** Starts a server with rooms. */
async function startRooms(options: ServerOptions = {}, accounts: readonly string[] = []) {
  const started = await startTestServer(accounts, { rooms: true, ...options });
  const enter = (room: string, name?: string, more: object = {}): Promise<Peer> =>
    started.signIn("", { room, name, ...more });
  /** Returns the refusal of a first frame, and the code that the socket closes with. */
  async function refused(proof: object): Promise<readonly [code: string, close: number]> {
    const client = await started.open();
    client.send("authenticate", { version: 1, ...proof });
    const { data } = await client.next("error");
    return [data.code, await client.closed];
  }
  return { ...started, enter, refused };
}

const events = ({ received }: Peer, type: string) =>
  received.filter((frame) => frame.type === type).map(({ data }) => data);

test("guests of a room see and reach each other, by the names that they chose", async () => {
  const { enter } = await startRooms();
  const ann = await enter("demo", "Ann");
  expect([ann.users, ann.peers]).toEqual([[], []]);
  const other = await enter("demo", "Ann");
  expect(other.peers).toEqual([{ name: "Ann", id: ann.id }]);
  expect((await ann.next("peerConnect")).data).toEqual({ name: "Ann", id: other.id });
  ann.send("peerRequest", { to: other.id, signal: 1 });
  expect((await other.next("peerRequest")).data).toEqual({ from: ann.id, signal: 1 });
  other.send("bye", {});
  expect((await ann.next("peerDisconnect")).data).toBe(other.id);
});

test("guests see each other's profiles, and a profile cannot change a name", async () => {
  const { enter } = await startRooms();
  const ann = await enter("demo", "Ann", { profile: { name: "Eve", status: "here" } });
  const bob = await enter("demo", "Bob");
  expect(bob.peers).toEqual([{ name: "Ann", id: ann.id, profile: { name: "Eve", status: "here" } }]);
  expect((await ann.next("peerConnect")).data).toMatchObject({ name: "Bob", id: bob.id });
});

test("the answer names the guest and the room, in NFC", async () => {
  const { open } = await startRooms();
  const client = await open();
  client.send("authenticate", { version: 1, room: "cafe\u0301", name: "Zoe\u0308", app: "todo" });
  expect((await client.next("setPeerId")).data).toEqual({
    ...{ version: 1, peerId: expect.stringMatching(/^[0-9a-f]{32}$/), username: "Zoë", session: expect.any(String) },
    ...{ resumed: false, features: ["profiles", "stay", "devices"], app: "todo", room: "café" },
  });
});

test("signals to the id of a peer in another room do not pass, also from another node", async () => {
  const cluster = createLocalCluster();
  const [one, two] = [await startRooms({ cluster }), await startRooms({ cluster })];
  const [ann, eve, far] = [await one.enter("demo"), await one.enter("other"), await two.enter("other")];
  for (const outsider of [eve, far])
    for (const type of ["peerRequest", "peerResponse"])
      expect((await outsider.request(type, { to: ann.id, signal: 1 })).data.code).toBe("unknown-peer");
  await one.settled(ann);
  expect(ann.received.filter(({ type }) => /^peer(Request|Response|Connect)$/.test(type))).toEqual([]);
});

test("a room named like a user, and a room of another app, are other groups", async () => {
  const { enter, signIn, settled } = await startRooms({}, ["ann", "bob"]);
  const user = await signIn("ann");
  const guests = [await enter("ann", "ann"), await enter("ann", "bob", { app: "todo" }), await enter("bob", "ann")];
  const friend = await signIn("bob");
  for (const guest of guests) expect(guest.peers).toEqual([]);
  expect(friend.peers).toEqual([{ name: "Ann", id: user.id }]);
  await settled(user, friend, ...guests);
  expect(events(user, "peerConnect")).toEqual([{ name: "Bob", id: friend.id }]);
  for (const guest of guests) {
    expect(events(guest, "peerConnect")).toEqual([]);
    expect((await guest.request("peerRequest", { to: user.id, signal: 1 })).data.code).toBe("unknown-peer");
    expect((await user.request("peerRequest", { to: guest.id, signal: 1 })).data.code).toBe("unknown-peer");
  }
});

test("a server has no rooms unless it says so", async () => {
  for (const options of [{}, { rooms: false }, { authenticate: async () => undefined }]) {
    const { refused } = await startRooms({ rooms: undefined, ...options });
    expect(await refused({ room: "demo" })).toEqual(["unsupported", 4001]);
  }
});

test("a function decides who enters, and is not asked when a guest reconnects", async () => {
  const asked: unknown[] = [];
  const { enter, refused, lose, open } = await startRooms({
    rooms: async (join) => asked.push(join) > 0 && join.room !== "closed",
  });
  const ann = await enter("open", "Ann");
  expect(asked).toEqual([{ room: "open", name: "Ann", address: "127.0.0.1", origin: undefined }]);
  expect(await refused({ room: "closed" })).toEqual(["forbidden", 4001]);
  await lose(ann);
  expect((await enter("open", "Ann", { session: ann.session })).id).toBe(ann.id);
  expect(asked).toHaveLength(2);
  const page = await open({ origin: "http://localhost:5173" });
  page.send("authenticate", { version: 1, room: "open" });
  await page.next("setPeerId");
  expect(asked.at(-1)).toMatchObject({ name: "Guest", origin: "http://localhost:5173" });
});

test("a function that fails lets nobody in", async () => {
  const { refused } = await startRooms({
    rooms: () => {
      throw new Error("no database");
    },
  });
  expect(await refused({ room: "demo" })).toEqual(["unreachable", 1013]);
});

test.each([
  ["invalid-request", { room: "" }],
  ["invalid-request", { room: "x".repeat(129) }],
  ["invalid-request", { room: "\ud800" }],
  ["invalid-request", { room: "de\0mo" }],
  ["alias-reserved", { room: "demo", name: "" }],
  ["alias-reserved", { room: "demo", name: "Us" }],
  ["alias-reserved", { room: "demo", name: "*" }],
  ["alias-reserved", { room: "demo", name: "x".repeat(65) }],
  ["alias-reserved", { room: "demo", name: "A\u0000nn" }],
  ["alias-reserved", { room: "demo", name: "Ann\u202e" }],
  ["alias-reserved", { room: "demo", name: " " }],
  ["alias-reserved", { room: "demo", name: "Ann\u3164" }],
  ["alias-reserved", { room: "demo", name: "0123456789abcdef0123456789ABCDEF" }],
])("a room or a name that the protocol does not allow is refused: %s %j", async (code, proof) => {
  const { refused } = await startRooms();
  expect(await refused(proof)).toEqual([code, 4001]);
});

test("a room name of 10 MB closes its socket before it is read, and so does the name of a guest", async () => {
  const { open, enter } = await startRooms();
  for (const proof of [{ room: "x".repeat(10_000_000) }, { room: "demo", name: "x".repeat(10_000_000) }]) {
    const client = await open();
    client.send("authenticate", { version: 1, ...proof });
    expect(await client.closed).toBe(1009);
  }
  await enter("demo");
});

test("a guest reconnects as the same peer, and nobody is told", async () => {
  const { enter, lose, settled } = await startRooms();
  const [ann, bob] = [await enter("demo", "Ann"), await enter("demo", "Bob")];
  await lose(ann);
  const again = await enter("demo", "Ann", { session: ann.session });
  expect([again.id, again.resumed]).toEqual([ann.id, true]);
  expect(again.peers).toEqual([{ name: "Bob", id: bob.id }]);
  await settled(bob, again);
  expect([events(bob, "peerConnect"), events(bob, "peerDisconnect")]).toEqual([[], []]);
});

test("the session of a guest opens neither another room, another app, another name nor an account", async () => {
  const { enter, refused } = await startRooms({}, ["ann"]);
  const ann = await enter("demo", "Ann");
  for (const other of [
    await enter("other", "Ann", { session: ann.session }),
    await enter("demo", "Ann", { session: ann.session, app: "todo" }),
    await enter("demo", "Bob", { session: ann.session }),
  ])
    expect([other.id === ann.id, other.session === ann.session]).toEqual([false, false]);
  expect(await refused({ session: ann.session })).toEqual(["unauthenticated", 4001]);
});

test("the session of an account opens no room as that account", async () => {
  const { enter, signIn } = await startRooms({}, ["ann"]);
  const ann = await signIn("ann");
  const guest = await enter("ann", "ann", { session: ann.session });
  expect(guest.id).not.toBe(ann.id);
  expect(ann.socket.readyState).toBe(ann.socket.OPEN);
});

test("a guest who was away for 10 minutes enters again as a new peer", async () => {
  const { enter, lose, clock } = await startRooms();
  const [ann, bob] = [await enter("demo", "Ann"), await enter("demo", "Bob")];
  await lose(ann);
  await lose(bob);
  clock.advance(10 * 60_000 - 1_000);
  expect((await enter("demo", "Bob", { session: bob.session })).id).toBe(bob.id);
  clock.advance(60_000);
  expect((await enter("demo", "Ann", { session: ann.session })).id).not.toBe(ann.id);
});

test("a guest with an open socket keeps its session for hours", async () => {
  const { enter, clock, settled, lose } = await startRooms({ limits: { idleTimeout: 24 * 3_600_000 } });
  const ann = await enter("demo", "Ann");
  for (let minute = 0; minute < 180; minute++) {
    clock.advance(60_000);
    await settled(ann);
  }
  await lose(ann);
  expect((await enter("demo", "Ann", { session: ann.session })).id).toBe(ann.id);
});

test("a guest who said bye cannot reconnect as the same peer", async () => {
  const { enter } = await startRooms();
  const ann = await enter("demo", "Ann");
  ann.send("bye", {});
  await ann.closed;
  expect((await enter("demo", "Ann", { session: ann.session })).id).not.toBe(ann.id);
});

test("in a room, requests about accounts and trust are unsupported", async () => {
  const { enter } = await startRooms();
  const ann = await enter("demo", "Ann");
  for (const [type, data] of [
    ["inviteUser", { email: "x@example.org" }],
    ["requestToken", { name: "Bob" }],
    ["claimToken", { name: "Bob", token: "t" }],
    ["removeUser", { name: "Bob" }],
    ["changePassword", { current: password, password: "another password" }],
    ["listDevices", {}],
    ["forgetDevice", { id: ann.id }],
  ] as const)
    expect((await ann.request(type, data)).data.code).toBe("unsupported");
});

test("a room holds 100 peers by default, and a guest of a full room can still reconnect", async () => {
  const { enter, refused, settled } = await startRooms();
  const guests = await Promise.all(Array.from({ length: 100 }, (_, at) => enter("demo", `Guest ${at}`)));
  expect(await refused({ room: "demo", name: "Late" })).toEqual(["busy", 1013]);
  await settled(guests[0]!);
  expect(events(guests[0]!, "peerConnect")).not.toContainEqual(expect.objectContaining({ name: "Late" }));
  const again = await enter("demo", "Guest 7", { session: guests[7]!.session });
  expect([again.id, again.peers.length]).toEqual([guests[7]!.id, 99]);
  guests[8]!.send("bye", {});
  await guests[8]!.closed;
  expect((await enter("demo", "Late")).peers).toHaveLength(99);
});

test("the peers of a room are counted on all nodes, also when they join at the same moment", async () => {
  const cluster = createLocalCluster();
  const limits = { peersPerRoom: 5, roomJoins: 1_000 };
  const nodes = [await startRooms({ cluster, limits }), await startRooms({ cluster, limits })];
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, (_, at) => nodes[at % 2]!.enter("demo", `G${at}`)),
  );
  const inside = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  expect(inside).toHaveLength(5);
  for (const node of nodes) expect(await node.refused({ room: "demo" })).toEqual(["busy", 1013]);
  await nodes[0]!.enter("other");
});

test("a guest who finds the room full leaves no row in the store, also if many join at the same moment", async () => {
  const { store, calls } = recordCalls(await openSqliteStore(":memory:"));
  const { enter } = await startRooms({ store, limits: { peersPerRoom: 5 } });
  await Promise.allSettled(Array.from({ length: 20 }, (_, at) => enter("demo", `G${at}`)));
  await expect(enter("demo", "Late")).rejects.toThrow("1013");
  const added = calls.filter(([method]) => method === "addGuest").map(([, args]) => JSON.parse(args)[0].peer);
  expect(added.length).toBeGreaterThan(5);
  await expect.poll(async () => (await store.sessionsOf(added)).size).toBe(5);
});

test("a join reads and tells its own room only, however many others there are", async () => {
  const local = createLocalCluster();
  const read: (readonly string[])[] = [];
  const cluster: Cluster = {
    async join(events) {
      const node = await local.join(events);
      return {
        ...node,
        online(groups) {
          read.push(groups);
          return node.online(groups);
        },
      };
    },
  };
  const { enter, settled } = await startRooms({ cluster });
  const others = await Promise.all(Array.from({ length: 50 }, (_, at) => enter(`room ${at}`)));
  read.length = 0;
  await Promise.all([enter("room 7"), enter("room 7")]);
  await settled(...others);
  expect(new Set(read.flat())).toEqual(new Set([roomGroup("", "room 7")]));
  expect(others.map((guest) => events(guest, "peerConnect").length)).toEqual(others.map((_, at) => (at === 7 ? 2 : 0)));
});

test("joins are rate-limited for each address, and a reconnect is no join", async () => {
  const { enter, refused, clock } = await startRooms({ limits: { roomJoins: 3 } });
  const ann = await enter("one", "Ann");
  await enter("two");
  await enter("three");
  expect(await refused({ room: "four" })).toEqual(["rate-limited", 1013]);
  for (let count = 0; count < 5; count++) expect((await enter("one", "Ann", { session: ann.session })).id).toBe(ann.id);
  clock.advance(60_000);
  await enter("four");
});

test("1 000 joins from one address: 120 enter in a minute, and the server goes on", async () => {
  const { enter, open, signIn } = await startRooms({}, ["ann"]);
  const outcomes: string[] = [];
  async function joinAndLeave(room: string): Promise<void> {
    const client = await open();
    client.send("authenticate", { version: 1, room });
    const { type, data } = await client.next();
    outcomes.push(type === "error" ? data.code : type);
    client.socket.terminate();
  }
  for (let batch = 0; batch < 10; batch++)
    await Promise.all(Array.from({ length: 100 }, (_, at) => joinAndLeave(`room ${batch} ${at}`)));
  expect(outcomes.filter((outcome) => outcome === "setPeerId")).toHaveLength(120);
  expect(outcomes.filter((outcome) => outcome === "rate-limited")).toHaveLength(880);
  await signIn("ann");
  await expect(enter("demo")).rejects.toThrow("1013");
});

test("neither the store nor the log nor the metrics contain the name of a room", async () => {
  const store = await openSqliteStore(":memory:");
  const { store: watched, calls } = recordCalls(store);
  const { enter, refused, logged, lose, clock, server } = await startRooms({
    store: watched,
    rooms: ({ room }) => !room.includes("closed"),
  });
  const ann = await enter("a very secret room", "Ann");
  await refused({ room: "a very secret room that is closed" });
  await lose(ann);
  await enter("a very secret room", "Ann", { session: ann.session });
  clock.advance(10_000);
  expect(calls.some(([method]) => method === "addGuest")).toBe(true);
  const metrics = await (await fetch(`${server.url.replace("ws", "http")}/metrics`)).text();
  expect(JSON.stringify([calls, logged, metrics])).not.toContain("very secret");
});

test("a store of an app without guests has no rooms", async () => {
  const { addGuest: _, ...store } = await openSqliteStore(":memory:");
  const { refused } = await startRooms({ store });
  expect(await refused({ room: "demo" })).toEqual(["unsupported", 4001]);
});

test("an app's own accounts decide the room and the name of a guest", async () => {
  const { signIn, enter, lose } = await startRooms({
    authenticate: async (token) => {
      const [room, name] = token.split(" ");
      return room === "user" ? { username: name! } : { room: room!, name: name! };
    },
  });
  const ann = await signIn("", { token: "team Ann" });
  const bob = await signIn("", { token: "team Bob" });
  expect(bob.peers).toEqual([{ name: "Ann", id: ann.id }]);
  // A guest who types the name of the room does not meet them.
  expect((await enter("team", "Eve")).peers).toEqual([]);
  expect((await signIn("", { token: "user team" })).peers).toEqual([]);
  await lose(bob);
  const again = await signIn("", { token: "team Bob", session: bob.session });
  expect([again.id, again.peers]).toEqual([bob.id, [{ name: "Ann", id: ann.id }]]);
  expect((await signIn("", { token: "other Bob", session: bob.session })).id).not.toBe(bob.id);
  expect((await signIn("", { token: "user Bob", session: bob.session })).id).not.toBe(bob.id);
});

test("the end of a user's sessions does not reach guests with the same name", async () => {
  const { server, enter, settled, signIn } = await startRooms({}, ["ann"]);
  const user = await signIn("ann");
  const guest = await enter("ann", "ann");
  await server.accounts.remove("ann");
  expect(await user.closed).toBe(4001);
  await settled(guest);
  expect(guest.socket.readyState).toBe(guest.socket.OPEN);
});

test("a restart of the server keeps the guests of a file", async () => {
  const store = await openSqliteStore(":memory:");
  const first = await startRooms({ store });
  const ann = await first.enter("demo", "Ann");
  await first.server.close();
  const second = await startRooms({ store });
  expect((await second.enter("demo", "Ann", { session: ann.session })).id).toBe(ann.id);
});
