import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { type BonevalueServer, createServer, type ServerOptions } from "../../reference-server/server.ts";
import { openSqliteStore } from "../../reference-server/store/sqlite.ts";
import { startCuttableProxy } from "../../reference-server/testing/cuttable-proxy.ts";
import { openClient } from "../../reference-server/testing/test-client.ts";
import { eventually } from "../../tools/eventually.ts";
import { createClient } from "../client.ts";
import type { Profile } from "../peer.ts";
import { createMemoryNetwork } from "../transport/memory.ts";
import type { Credentials, DiscoverySession, Snapshot } from "./discovery.ts";
import { discoveryConformance } from "./testing/conformance.ts";
import { createEventRecorder, type RecordedEvent } from "./testing/event-recorder.ts";
import { websocket } from "./websocket.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };

discoveryConformance("websocket, with the reference server", {
  hasServer: true,
  async start() {
    const mailed = new Map<string, string[]>();
    const server = await createServer({
      ...{ port: 0, store: ":memory:", rooms: true, log: silent },
      mail: async (to, { link }) => void mailed.set(to, [...(mailed.get(to) ?? []), new URL(link).hash.slice(1)]),
    });
    for (const username of ["ann", "bob", "cyd", "dan@example.org"])
      await server.accounts.add(username, `password of ${username}`);
    return {
      host: server.url,
      discovery: () => websocket(),
      credentials: (username) => ({ username, password: `password of ${username}` }),
      trust: server.accounts.trust,
      mailed,
      close: server.close,
    };
  },
});

describe("websocket, with the reference server", () => {
  const servers: BonevalueServer[] = [];
  const sessions: DiscoverySession[] = [];
  afterEach(async () => {
    for (const session of sessions.splice(0)) await session.close();
    for (const server of servers.splice(0)) await server.close();
  });

  async function startServer(options: ServerOptions = {}) {
    const server = await createServer({ port: 0, store: ":memory:", log: silent, ...options });
    servers.push(server);
    return server;
  }

  function openSession(server: { readonly url: string }, credentials: Credentials) {
    const recorder = createEventRecorder();
    // Small dice make short waits.
    const session = websocket({ random: () => 0.1 }).open(server.url, credentials, recorder.events, { app: "" });
    sessions.push(session);
    return { ...recorder, session };
  }

  const online = ([event]: RecordedEvent) => event === "online";

  test("an invitation link signs a new user in once", async () => {
    const server = await startServer();
    const { link } = await server.accounts.invite("dan@example.org");
    const invite = new URL(link).hash.slice(1);
    const first = openSession(server, { invite, password: "correct horse" });
    expect(await first.until(online)).toMatchObject(["online", { self: { username: "dan@example.org" } }]);
    const second = openSession(server, { invite, password: "battery staple" });
    expect(await second.until(() => true)).toEqual(["ended", "token-invalid"]);
  });

  test("the app's own tokens sign in, and a token function is called again after a refusal", async () => {
    const server = await startServer({
      authenticate: async (token) => (token === "good" ? { username: "ann" } : undefined),
    });
    let asked = 0;
    const { until } = openSession(server, { token: () => (++asked === 1 ? "stale" : "good") });
    expect(await until(online)).toMatchObject(["online", { self: { username: "ann" } }]);
    expect(asked).toBe(2);
  });

  test("after a restart of the server the client reconnects with its id and without a password", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bonevalue-"));
    const store = join(folder, "accounts.db");
    const first = await startServer({ store, limits: { drain: 0 } });
    await first.accounts.add("ann", "correct horse");
    const ann = openSession(first, { username: "ann", password: "correct horse" });
    const [, before] = await ann.until(online);
    const port = Number(new URL(first.url).port);
    await first.close();
    await ann.until(([event]) => event === "interrupted");
    await startServer({ store, port });
    const back = await ann.until((event) => online(event) && event[1] !== before);
    expect(back).toMatchObject(["online", { self: (before as Snapshot).self }]);
    await rm(folder, { recursive: true });
  });

  test("a client that loses the answer to a password change reconnects with the new password", async () => {
    const kept = await openSqliteStore(":memory:");
    const server = await startServer({
      store: {
        ...kept,
        async changePassword(...change) {
          const done = await kept.changePassword(...change);
          wire.cut();
          wire.restore();
          return done;
        },
      },
    });
    const wire = await startCuttableProxy(server.url);
    await server.accounts.add("ann", "correct horse");
    const { session, until } = openSession(wire, { username: "ann", password: "correct horse" });
    const [, before] = await until(online);
    await expect(session.changePassword("correct horse", "battery staple")).rejects.toMatchObject({
      code: "disconnected",
    });
    expect(await until((event) => online(event) && event[1] !== before)).toMatchObject([
      "online",
      { self: { username: "ann" } },
    ]);
    wire.stop();
  });

  test("a client of an older version, which knows neither apps nor features, and a newer one signal each other", async () => {
    const server = await startServer();
    for (const name of ["ann", "bob"]) await server.accounts.add(name, "correct horse");
    await server.accounts.trust("ann", "Bob", "bob", "Ann");
    const newer = openSession(server, { username: "ann", password: "correct horse" });
    await newer.until(online);
    const older = await openClient(server.url);
    older.send("authenticate", { version: 1, username: "bob", password: "correct horse" });
    const { peerId } = (await older.next("setPeerId")).data;
    const [ann] = (await older.next("peerList")).data;
    await newer.until(([event]) => event === "peerConnect");
    newer.session.signal("peerRequest", peerId, { attempt: 1 });
    expect((await older.next("peerRequest")).data).toEqual({ from: ann.id, signal: { attempt: 1 } });
    older.send("peerResponse", { to: ann.id, signal: { attempt: 1 } });
    const answer = await newer.until(([event]) => event === "signal");
    expect(answer).toEqual(["signal", "peerResponse", peerId, { attempt: 1 }]);
    older.socket.terminate();
  });

  test("a guest whose session has ended joins its room again as a new peer", async () => {
    const kept = await openSqliteStore(":memory:");
    const server = await startServer({ store: kept, rooms: true });
    const wire = await startCuttableProxy(server.url);
    const { until } = openSession(wire, { room: "demo", name: "Ann" });
    const [, before] = await until(online);
    await kept.endSession((before as Snapshot).self.id);
    wire.cut();
    wire.restore();
    const [, after] = await until((event) => online(event) && event[1] !== before);
    expect((after as Snapshot).self).toMatchObject({ username: "Ann", room: "demo" });
    expect((after as Snapshot).self.id).not.toBe((before as Snapshot).self.id);
    wire.stop();
  });

  test("removing an account ends its sessions", async () => {
    const server = await startServer();
    await server.accounts.add("ann", "correct horse");
    const ann = openSession(server, { username: "ann", password: "correct horse" });
    await ann.until(online);
    await server.accounts.remove("ann");
    expect(await ann.until(([event]) => event === "ended")).toEqual(["ended", "unauthenticated"]);
  });

  test("of ten thousand profiles that an app sets at once, the newest reaches other pages, and links stay open", async () => {
    const server = await startServer({ rooms: true });
    const { transport } = createMemoryNetwork();
    const enter = async (name: string) => {
      const client = createClient({ discovery: websocket(), transport, profile: { n: 0 } as Profile });
      onTestFinished(() => client.disconnect());
      await client.connect(server.url, { room: "demo", name });
      return client;
    };
    const [ann, bob] = [await enter("Ann"), await enter("Bob")];
    bob.module("Echo", ({ request, peer }) => [request, peer.profile]);
    await eventually(() => expect(ann.peers.peek()).toHaveLength(1));
    expect(await ann.get(bob.getId()!).call("Echo", 1).first()).toEqual([1, { n: 0 }]);
    const updates: Profile[] = [];
    bob.on("peerupdate", ({ profile }) => updates.push(profile));
    const setting = Array.from({ length: 10_000 }, (_, n) => ann.setProfile({ n: n + 1 } as Profile));
    await Promise.all(setting);
    await eventually(() => expect(updates.at(-1)).toEqual({ n: 10_000 }));
    expect(updates.length).toBeLessThanOrEqual(2);
    expect(await ann.get(bob.getId()!).call("Echo", 2).first()).toEqual([2, { n: 10_000 }]);
  });
});
