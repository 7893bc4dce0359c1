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

test("a sign-in that is under way when the server stops fails with unreachable", async () => {
  const { clock, server } = createWorld({ latency: 100 });
  const { recorded, events } = createEventRecorder();
  server.open("memory", { username: "ann", password: "secret" }, events, { app: "" });
  await clock.advance(150);
  server.interrupt();
  await clock.advance(1_000);
  expect(recorded).toEqual([["ended", "unreachable"]]);
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
  server.restore(second.id);
  await clock.advance(20_000);
  expect(first.recorded.at(-1)).toEqual(["peerDisconnect", second.id, true]);
});

test("a second interruption while the peer returns starts the 10 s anew, and one while it is cut off does nothing", async () => {
  const { clock, server, signIn } = createWorld({ latency: 100 });
  const first = await signIn();
  const second = await signIn();
  const lost = () => first.recorded.filter(([event]) => event === "peerDisconnect");
  server.interrupt(second.id);
  await clock.advance(9_000);
  server.restore(second.id);
  await clock.advance(50);
  server.interrupt(second.id);
  await clock.advance(9_000);
  server.interrupt(second.id);
  expect(lost()).toEqual([]);
  await clock.advance(1_100);
  expect(lost()).toEqual([["peerDisconnect", second.id, true]]);
  expect(second.recorded.filter(([event]) => event === "interrupted")).toHaveLength(2);
});

test("a stopped server forgets who was online", async () => {
  const { clock, server, signIn } = createWorld();
  const first = await signIn();
  const second = await signIn();
  server.interrupt();
  await second.session.close();
  server.restore();
  await clock.advance(0);
  expect(first.recorded.at(-1)).toMatchObject(["online", { peers: [] }]);
});

test("a profile that changes while its peer is cut off is dropped", async () => {
  const { clock, server, signIn } = createWorld();
  const first = await signIn();
  const second = await signIn();
  server.interrupt(second.id);
  second.session.setProfile?.({});
  await clock.advance(1_000);
  expect(first.recorded.some(([event]) => event === "peerUpdate")).toBe(false);
});

test("a session that is revoked while it is cut off leaves at once, and answers no requests", async () => {
  const { clock, server, signIn } = createWorld();
  const first = await signIn();
  const second = await signIn();
  server.interrupt(second.id);
  const changed = first.session.changePassword("secret", "another secret");
  await clock.advance(0);
  await changed;
  expect(first.recorded.at(-1)).toEqual(["peerDisconnect", second.id, false]);
  expect(second.recorded.at(-1)).toEqual(["ended", "unauthenticated"]);
  await expect(second.session.devices!()).rejects.toMatchObject({ code: "not-connected" });
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

test("a token works for 10 minutes", async () => {
  const { clock, server, signIn } = createWorld();
  server.addUser("bob", "secret");
  const ann = await signIn();
  const claimAfter = async (ms: number) => {
    const { events } = createEventRecorder();
    const bob = server.open("memory", { username: "bob", password: "secret" }, events, { app: "" });
    const requested = ann.session.requestToken("Bob");
    await clock.advance(0);
    const { token } = await requested;
    await clock.advance(ms);
    const claimed = bob.claimToken("Ann", token).then(
      () => "claimed",
      ({ code }) => code,
    );
    await clock.advance(0);
    return claimed;
  };
  expect(await claimAfter(600_000)).toBe("token-invalid");
  expect(await claimAfter(599_999)).toBe("claimed");
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

test("a user neither sees nor forgets the devices of another, and a new password leaves them and its own page", async () => {
  const { clock, server } = createWorld();
  server.addUser("bob", "secret");
  const open = async (credentials: Credentials | StoredCredentials) => {
    const kept: { session?: string; device?: string | undefined } = {};
    const keeper: SecretKeeper = {
      device: true,
      claim: async () => true,
      keep: (stored, device) => Object.assign(kept, stored, device !== undefined && { device }),
      release() {},
    };
    const { events, recorded } = createEventRecorder();
    const session = server.open("memory", credentials, events, { app: "", keeper: Promise.resolve(keeper) });
    await clock.advance(0);
    return { session, recorded, kept };
  };
  const answer = async <Result>(request: Promise<Result>) => {
    await clock.advance(0);
    return request;
  };
  const again = async (secret: string | undefined, kind: "session" | "device") =>
    (await open({ [kind]: secret } as unknown as StoredCredentials)).recorded[0]?.[0];
  const byName = (username: string) => open({ username, password: "secret" });
  const [ann, annsPhone, bob] = [await byName("ann"), await byName("ann"), await byName("bob")];
  const [bobsDevice] = await answer(bob.session.devices!());
  const listed = await answer(ann.session.devices!());
  expect(listed.map(({ current }) => current)).toEqual([true, false]);
  await answer(ann.session.forgetDevice!(bobsDevice!.id));
  await answer(ann.session.changePassword("secret", "another secret"));
  expect([ann, annsPhone, bob].map(({ recorded }) => recorded.some(([event]) => event === "ended"))).toEqual([
    false,
    true,
    false,
  ]);
  for (const kind of ["session", "device"] as const)
    expect([
      await again(ann.kept[kind], kind),
      await again(annsPhone.kept[kind], kind),
      await again(bob.kept[kind], kind),
    ]).toEqual(["online", "ended", "online"]);
});

test("an app's token is unsupported, and a session without a keeper lists no device as its own", async () => {
  const { clock, server, signIn } = createWorld();
  const { recorded, events } = createEventRecorder();
  server.open("memory", { token: "signed by the app" }, events, { app: "" });
  const { session } = await signIn();
  expect(recorded).toEqual([["ended", "unsupported"]]);
  const listed = session.devices!();
  await clock.advance(0);
  expect(await listed).toEqual([]);
});
