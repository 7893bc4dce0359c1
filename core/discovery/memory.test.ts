import { expect, test } from "vitest";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import type { Credentials, SecretKeeper, Snapshot, StoredCredentials } from "./discovery.ts";
import { createMemoryDiscovery, type MemoryDiscoveryOptions } from "./memory.ts";
import { discoveryConformance } from "./testing/conformance.ts";
import { createEventRecorder, type EventRecorder } from "./testing/event-recorder.ts";

discoveryConformance("memory", {
  hasServer: true,
  start() {
    const mailed = new Map<string, string[]>();
    const server = createMemoryDiscovery({
      mail: (to, invite) => mailed.set(to, [...(mailed.get(to) ?? []), invite]),
    });
    for (const username of ["ann", "bob", "cyd", "dan@example.org"])
      server.addUser(username, `password of ${username}`);
    return {
      host: "memory",
      discovery: () => server,
      credentials: (username) => ({ username, password: `password of ${username}` }),
      trust: server.trust,
      mailed,
      close() {},
    };
  },
});

function createWorld(options: MemoryDiscoveryOptions = {}) {
  const clock = createVirtualClock();
  const server = createMemoryDiscovery({ clock, ...options });
  server.addUser("ann", "secret");
  async function signIn(): Promise<EventRecorder & { id: string; session: ReturnType<typeof server.open> }> {
    const recorder = createEventRecorder();
    const session = server.open("memory", { username: "ann", password: "secret" }, recorder.events, { app: "" });
    await clock.advance(1000);
    const snapshot = recorder.recorded.find(([event]) => event === "online")?.[1] as { self: { id: string } };
    return { ...recorder, session, id: snapshot?.self.id };
  }
  return { clock, server, signIn };
}

test("a sign-in takes one round trip", async () => {
  const { clock, server } = createWorld({ latency: 100 });
  const { recorded, events } = createEventRecorder();
  server.open("memory", { username: "ann", password: "secret" }, events, { app: "" });
  await clock.advance(199);
  expect(recorded).toEqual([]);
  await clock.advance(1);
  expect(recorded[0]?.[0]).toBe("online");
});

test("an interrupted peer is lost after 10 s, and returns with the same id", async () => {
  const { clock, server, signIn } = createWorld();
  const first = await signIn();
  const second = await signIn();
  server.interrupt(second.id);
  expect(second.recorded.at(-1)).toEqual(["interrupted", "disconnected"]);
  await clock.advance(9_999);
  expect(first.recorded.at(-1)?.[0]).toBe("peerConnect");
  await clock.advance(1);
  expect(first.recorded.at(-1)).toEqual(["peerDisconnect", second.id, true]);
  server.restore(second.id);
  await clock.advance(0);
  expect(second.recorded.at(-1)).toMatchObject(["online", { self: { id: second.id } }]);
  expect(first.recorded.at(-1)).toEqual(["peerConnect", { name: "Us", id: second.id }]);
});

test("a peer that returns within the grace period was never reported", async () => {
  const { clock, server, signIn } = createWorld();
  const first = await signIn();
  const second = await signIn();
  server.interrupt(second.id);
  await clock.advance(5_000);
  server.restore(second.id);
  await clock.advance(20_000);
  expect(second.recorded.at(-1)).toMatchObject(["online", { self: { id: second.id } }]);
  expect(first.recorded.filter(([event]) => event === "peerDisconnect")).toEqual([]);
});

test("a stopped server interrupts every session and refuses new ones; all return when it is restored", async () => {
  const { clock, server, signIn } = createWorld();
  const first = await signIn();
  const second = await signIn();
  server.interrupt();
  const late = await signIn();
  expect(late.recorded).toEqual([["ended", "unreachable"]]);
  server.restore();
  await clock.advance(0);
  for (const { recorded } of [first, second]) {
    expect(recorded.filter(([event]) => event === "interrupted" || event === "online").map(([event]) => event)).toEqual(
      ["online", "interrupted", "online"],
    );
  }
  expect(second.recorded.at(-1)).toMatchObject(["online", { peers: [{ id: first.id }] }]);
});

test("restoring a peer changes nothing while the server is down, or while the peer is online", async () => {
  const { clock, server, signIn } = createWorld();
  const first = await signIn();
  const count = () => first.recorded.filter(([event]) => event === "online").length;
  server.restore(first.id);
  await clock.advance(0);
  expect(count()).toBe(1);
  server.interrupt();
  server.restore(first.id);
  await clock.advance(0);
  expect(count()).toBe(1);
  server.restore();
  server.restore();
  await clock.advance(0);
  expect(count()).toBe(2);
});

test("a peer that closes while it is cut off is lost to the others after 10 s, since nobody hears it", async () => {
  const { clock, server, signIn } = createWorld();
  const first = await signIn();
  const second = await signIn();
  server.interrupt(second.id);
  await second.session.close();
  await clock.advance(9_999);
  expect(first.recorded.at(-1)?.[0]).toBe("peerConnect");
  await clock.advance(1);
  expect(first.recorded.at(-1)).toEqual(["peerDisconnect", second.id, true]);
});

test("a page that continues the session of a page that was cut off stays online", async () => {
  const { clock, server, signIn } = createWorld();
  const observer = await signIn();
  let stored: StoredCredentials | undefined;
  const keeper: SecretKeeper = {
    device: false,
    claim: async () => true,
    keep: (credentials) => (stored = credentials),
    release() {},
  };
  const open = (credentials: Credentials | StoredCredentials) => {
    const { events, recorded } = createEventRecorder();
    const session = server.open("memory", credentials, events, { app: "", keeper: Promise.resolve(keeper) });
    return { session, recorded };
  };
  const first = open({ username: "ann", password: "secret" });
  await clock.advance(0);
  const [, snapshot] = first.recorded[0] as readonly [string, Snapshot];
  server.interrupt(snapshot.self.id);
  await first.session.close();
  const second = open(stored!);
  await clock.advance(20_000);
  expect(second.recorded[0]).toMatchObject(["online", { self: { id: snapshot.self.id } }]);
  expect(observer.recorded.filter(([event]) => event === "peerDisconnect")).toEqual([]);
});

test("an interruption drops signals in transit, and requests fail with disconnected", async () => {
  const { clock, server, signIn } = createWorld({ latency: 10 });
  const first = await signIn();
  const second = await signIn();
  first.session.signal("peerRequest", second.id, "hello");
  const invited = first.session.invite("bob@example.org");
  server.interrupt(first.id);
  await expect(invited).rejects.toMatchObject({ code: "disconnected" });
  await expect(first.session.invite("bob@example.org")).rejects.toMatchObject({ code: "not-connected" });
  await clock.advance(100);
  expect(second.recorded.filter(([event]) => event === "signal")).toEqual([]);
});

test("an invited user chooses a password once", async () => {
  const invites: string[] = [];
  const { clock, server, signIn } = createWorld({ mail: (_email, invite) => invites.push(invite) });
  const ann = await signIn();
  const invited = ann.session.invite("bob@example.org");
  await clock.advance(0);
  await invited;
  const accept = async () => {
    const { recorded, events } = createEventRecorder();
    server.open("memory", { invite: invites[0] as string, password: "chosen password" }, events, { app: "" });
    await clock.advance(0);
    return recorded[0];
  };
  expect(await accept()).toMatchObject(["online", { self: { username: "bob@example.org" } }]);
  expect(await accept()).toEqual(["ended", "token-invalid"]);
});
