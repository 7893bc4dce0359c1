import { expect, test, vi } from "vitest";
import { eventually } from "../../tools/eventually.ts";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import type { Credentials } from "./discovery.ts";
import { createEventRecorder } from "./testing/event-recorder.ts";
import { createFakeSockets } from "./websocket/testing/fake-sockets.ts";
import { driveSession } from "./websocket/testing/session-driver.ts";
import { websocket } from "./websocket.ts";

const returned = { type: "authenticate", data: { version: 1, session: "secret of ann" } };

test("nothing is told before open has returned, and the first frame says who we are", async () => {
  const driver = driveSession();
  expect(driver.recorded).toEqual([]);
  const socket = await driver.socket();
  expect(socket.url).toBe("wss://example.org/");
  socket.accept();
  expect(socket.sent).toEqual([{ type: "authenticate", data: { version: 1, username: "ann", password: "secret" } }]);
});

test("a sign-in brings the lists in one snapshot", async () => {
  const driver = driveSession();
  await driver.signIn({ users: ["Bob"], peers: [{ name: "Bob", id: "b1" }] });
  expect(driver.recorded).toEqual([
    ["iceServers", []],
    ["online", { self: { id: "me", username: "ann" }, users: ["Bob"], peers: [{ name: "Bob", id: "b1" }] }],
  ]);
});

test("an invitation is accepted with the chosen password, and later returns need neither", async () => {
  const driver = driveSession({ invite: "inv", password: "chosen" });
  const socket = await driver.signIn();
  expect(socket.sent).toEqual([{ type: "acceptInvite", data: { version: 1, invite: "inv", password: "chosen" } }]);
  socket.close(1006);
  await driver.clock.advance(500);
  const again = await driver.signIn();
  expect(again.sent).toEqual([returned]);
});

test("a token function is asked at the sign-in and at every return", async () => {
  let asked = 0;
  const driver = driveSession({ token: async () => `token ${++asked}` });
  const socket = await driver.signIn();
  expect(socket.sent[0].data).toEqual({ version: 1, token: "token 1" });
  socket.close(1006);
  await driver.clock.advance(500);
  const again = await driver.signIn();
  expect(again.sent[0].data).toEqual({ version: 1, token: "token 2", session: "secret of ann" });
});

test("a refused token is asked for once more, and only once", async () => {
  let asked = 0;
  const driver = driveSession({ token: () => `token ${++asked}` });
  (await driver.socket()).close(4001);
  await driver.clock.advance(500);
  expect(driver.sockets).toHaveLength(2);
  (await driver.socket()).close(4001);
  await driver.clock.advance(60_000);
  expect(asked).toBe(2);
  expect(driver.recorded).toEqual([["ended", "unauthenticated"]]);
});

test("a token function that fails ends a first sign-in, with its error as the cause", async () => {
  const cause = new Error("no token today");
  const ended = new Promise<any>((resolve) => {
    websocket({ WebSocket: class {} as never, clock: createVirtualClock() }).open(
      "example.org",
      { token: () => Promise.reject(cause) },
      { ...createEventRecorder().events, ended: resolve },
    );
  });
  expect(await ended).toMatchObject({ code: "unauthenticated", cause });
});

test.for([undefined, null, 5])("a token function that gives %s has failed as well", async (token) => {
  const driver = driveSession({ token: () => token as never });
  await driver.clock.advance(0);
  expect(driver.sockets).toHaveLength(0);
  expect(driver.recorded).toEqual([["ended", "unauthenticated"]]);
});

test("a token function that does not answer within 30 s has failed: the first sign-in ends", async () => {
  const driver = driveSession({ token: () => new Promise(() => {}) });
  await driver.clock.advance(29_999);
  expect(driver.recorded).toEqual([]);
  await driver.clock.advance(1);
  expect(driver.recorded).toEqual([["ended", "unauthenticated"]]);
  expect(driver.clock.waiting).toBe(0);
});

test("a token function that is waited for when the app leaves is waited for no longer", async () => {
  const driver = driveSession({ token: () => new Promise(() => {}) });
  await driver.clock.advance(1_000);
  await driver.session.close();
  expect(driver.clock.waiting).toBe(0);
  await driver.clock.advance(60_000);
  expect(driver.recorded).toEqual([]);
});

test("a token function that does not answer at a return is asked again, and its late answer is not used", async () => {
  const answers: ((token: string) => void)[] = [];
  const driver = driveSession({ token: () => new Promise((resolve) => answers.push(resolve)) });
  await driver.clock.advance(0);
  answers[0]?.("first");
  (await driver.signIn()).close(1006);
  await driver.clock.advance(31_000);
  expect(answers).toHaveLength(3);
  answers[1]?.("late");
  await driver.clock.advance(0);
  expect(driver.sockets).toHaveLength(1);
  answers[2]?.("second");
  expect((await driver.signIn()).sent[0].data).toMatchObject({ token: "second" });
});

test("a token function that fails at a return is asked again later", async () => {
  let fails = false;
  const driver = driveSession({ token: () => (fails ? Promise.reject(new Error("offline")) : "token") });
  const socket = await driver.signIn();
  fails = true;
  socket.close(1006);
  await driver.clock.advance(1000);
  fails = false;
  await driver.clock.advance(5000);
  await driver.signIn();
  expect(driver.recorded.map(([name]) => name)).toEqual([
    "iceServers",
    "online",
    "interrupted",
    "iceServers",
    "online",
  ]);
});

test.each([
  [1006, "unreachable"],
  [1013, "unreachable"],
  [1008, "protocol"],
  [1009, "protocol"],
  [4001, "unauthenticated"],
  [4002, "disconnected"],
  [4003, "incompatible"],
])("a first attempt that closes with %i fails at once with %s", async (code, error) => {
  const driver = driveSession();
  (await driver.socket()).close(code);
  await driver.clock.advance(60_000);
  expect(driver.recorded).toEqual([["ended", error]]);
  expect(driver.sockets).toHaveLength(1);
});

test("the error that the server says before it closes is what the user sees", async () => {
  const driver = driveSession({ invite: "used", password: "chosen" });
  const socket = await driver.socket();
  socket.accept();
  socket.deliver("error", { code: "token-invalid", message: "This invitation was used. Ask for another." });
  socket.close(4001);
  expect(driver.recorded).toEqual([["ended", "token-invalid"]]);
});

test("a host that names nothing ends the first sign-in like a server that does not answer", async () => {
  const driver = driveSession(undefined, { host: "two words" });
  await driver.clock.advance(0);
  expect(driver.recorded).toEqual([["ended", "unreachable"]]);
});

test("a platform without WebSocket is told to hand one in", async () => {
  vi.stubGlobal("WebSocket", undefined);
  const ended = new Promise((resolve) => {
    websocket().open(
      "example.org",
      { username: "a", password: "b" },
      { ...createEventRecorder().events, ended: resolve },
    );
  });
  expect(await ended).toMatchObject({
    code: "unsupported",
    message: expect.stringContaining("websocket({ WebSocket })"),
  });
  vi.unstubAllGlobals();
});

test("a WebSocket that the platform refuses to make is unreachable, with its reason as the cause", async () => {
  const refusal = new Error("mixed content");
  const Refusing = class {
    constructor() {
      throw refusal;
    }
  };
  const ended = new Promise<any>((resolve) => {
    const events = { ...createEventRecorder().events, ended: resolve };
    websocket({ WebSocket: Refusing as never }).open("ws://example.org", { username: "a", password: "b" }, events);
  });
  expect(await ended).toMatchObject({
    code: "unreachable",
    cause: refusal,
    message: expect.stringMatching(/Content-Security-Policy/),
  });
});

test("who gets no answer is told at which address nobody answered", async () => {
  const { WebSocket, opened } = createFakeSockets();
  const ended = new Promise((resolve) => {
    const events = { ...createEventRecorder().events, ended: resolve };
    websocket({ WebSocket }).open("example.org:8000", { username: "a", password: "b" }, events);
  });
  await eventually(() => expect(opened).toHaveLength(1));
  opened[0]?.close(1006);
  expect(await ended).toMatchObject({
    message: expect.stringMatching(/wss:\/\/example\.org:8000\/.*Content-Security-Policy/),
  });
});

test("a server of another kind, which says things that we do not know, is given up after 10 s as well", async () => {
  const driver = driveSession();
  const socket = await driver.socket();
  socket.accept();
  for (let beats = 0; beats < 2; beats++) {
    await driver.clock.advance(4_000);
    socket.deliverRaw(JSON.stringify({ type: "heartbeat" }));
  }
  await driver.clock.advance(2_000);
  expect(socket.closeCode).toBe(4000);
  expect(driver.recorded).toEqual([["ended", "unreachable"]]);
});

test("a server whose lists take long to arrive is waited for while they do", async () => {
  const driver = driveSession();
  const socket = await driver.socket();
  socket.accept();
  await driver.clock.advance(9_000);
  socket.deliver("setPeerId", { version: 1, peerId: "me", username: "ann", session: "secret of ann", resumed: false });
  await driver.clock.advance(9_000);
  socket.deliver("userList", []);
  await driver.clock.advance(9_000);
  socket.deliver("peerList", []);
  expect(driver.recorded.at(-1)?.[0]).toBe("online");
});

test("a server that accepts the socket and says nothing is given up after 10 s", async () => {
  const driver = driveSession();
  const socket = await driver.socket();
  await driver.clock.advance(9_999);
  expect(driver.recorded).toEqual([]);
  await driver.clock.advance(1);
  expect(socket.closeCode).toBe(4000);
  expect(driver.recorded).toEqual([["ended", "unreachable"]]);
});

test.each([1001, 1006, 1011, 1012, 3000, 4000])(
  "a later loss with %i is come back from, by the session's secret",
  async (code) => {
    const driver = driveSession();
    (await driver.signIn()).close(code);
    expect(driver.recorded.at(-1)).toEqual(["interrupted", "disconnected"]);
    await driver.clock.advance(250);
    const again = await driver.signIn({ users: ["Bob"] });
    expect(again.sent).toEqual([returned]);
    expect(driver.recorded.at(-1)).toMatchObject(["online", { users: ["Bob"] }]);
  },
);

test.each([
  [1000, "disconnected"],
  [1008, "protocol"],
  [4001, "unauthenticated"],
  [4002, "disconnected"],
  [4003, "incompatible"],
])("a later close with %i says to stay away, with %s", async (code, error) => {
  const driver = driveSession();
  (await driver.signIn()).close(code);
  await driver.clock.advance(60_000);
  expect(driver.recorded.at(-1)).toEqual(["ended", error]);
  expect(driver.sockets).toHaveLength(1);
});

test("attempts to come back are spaced further and further apart, and an outage is told once", async () => {
  const driver = driveSession();
  (await driver.signIn()).close(1006);
  const tried: number[] = [];
  for (let attempt = 1; attempt <= 4; attempt++) {
    const before = driver.clock.now();
    while (driver.sockets.length === attempt) await driver.clock.advance(50);
    tried.push(driver.clock.now() - before);
    (await driver.socket()).close(1006);
  }
  expect(tried).toEqual([250, 500, 1000, 2000]);
  expect(driver.recorded.filter(([name]) => name === "interrupted")).toHaveLength(1);
});

test("only a line that held for 10 s makes the next outage begin with short waits again", async () => {
  const driver = driveSession();
  (await driver.signIn()).close(1006);
  await driver.clock.advance(250);
  (await driver.signIn()).close(1006);
  await driver.clock.advance(499);
  expect(driver.sockets).toHaveLength(2);
  await driver.clock.advance(1);
  const socket = await driver.signIn();
  await driver.clock.advance(10_000);
  socket.close(1006);
  await driver.clock.advance(250);
  expect(driver.sockets).toHaveLength(4);
});

test("a page that wakes comes back at once", async () => {
  const driver = driveSession(undefined, { random: 0.999 });
  (await driver.signIn()).close(1006);
  await driver.clock.advance(100);
  expect(driver.sockets).toHaveLength(1);
  driver.page.wake();
  await driver.clock.advance(0);
  expect(driver.sockets).toHaveLength(2);
});

test("an overloaded server is left alone for as long as it asks, or 10 s, even by a page that wakes", async () => {
  const driver = driveSession(undefined, { random: 0 });
  (await driver.signIn()).close(1013);
  driver.page.wake();
  await driver.clock.advance(9_999);
  expect(driver.sockets).toHaveLength(1);
  await driver.clock.advance(1);
  const again = await driver.signIn();
  again.deliver("error", { code: "rate-limited", message: "Slow down.", after: 3000 });
  again.close(1013);
  expect(driver.recorded.at(-1)).toEqual(["interrupted", "rate-limited"]);
  await driver.clock.advance(2_999);
  expect(driver.sockets).toHaveLength(2);
  await driver.clock.advance(1);
  expect(driver.sockets).toHaveLength(3);
});

test("a ping is answered at once", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  socket.deliver("ping", {});
  expect(socket.sent.at(-1)).toEqual({ type: "pong", data: {} });
});

test("35 s of silence mean that the server has gone, anything heard before that it has not", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  await driver.clock.advance(34_999);
  socket.deliver("ping", {});
  await driver.clock.advance(34_999);
  expect(socket.closeCode).toBeUndefined();
  await driver.clock.advance(1);
  expect(socket.closeCode).toBe(4000);
  expect(driver.recorded.at(-1)).toEqual(["interrupted", "disconnected"]);
});

test("a page that wakes asks whether the server is still there, and gives it 5 s", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  driver.page.wake();
  expect(socket.sent.at(-1)).toEqual({ type: "ping", data: {} });
  await driver.clock.advance(4_000);
  socket.deliver("pong", {});
  await driver.clock.advance(5_000);
  expect(socket.closeCode).toBeUndefined();
  driver.page.wake();
  await driver.clock.advance(5_000);
  expect(socket.closeCode).toBe(4000);
});

test("a server that does not answer at once to a page that wakes is come back to on another socket meanwhile", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  driver.page.wake();
  driver.session.check?.();
  expect(socket.sent.filter(({ type }) => type === "ping")).toHaveLength(1);
  await driver.clock.advance(499);
  expect(driver.sockets).toHaveLength(1);
  await driver.clock.advance(1);
  expect(driver.sockets).toHaveLength(2);
  await driver.signIn();
  expect(driver.recorded.map(([name]) => name).slice(2)).toEqual(["woke", "iceServers", "online"]);
  socket.close(4002);
  expect(driver.recorded.at(-1)?.[0]).toBe("online");
});

test.for([
  ["by itself", (): void => {}],
  ["whenever its beat is late, too", (driver: ReturnType<typeof driveSession>) => driver.page.wake()],
] as const)(
  "a hidden page whose timers fire once a minute asks at the first, and has lost the server by the next: %s",
  async ([, eachMinute]) => {
    const driver = driveSession();
    driver.throttle();
    const socket = await driver.signIn();
    for (const unanswered of [false, false, true]) {
      await driver.clock.advance(60_000);
      eachMinute(driver);
      expect(socket.sent.at(-1)).toEqual({ type: "ping", data: {} });
      if (!unanswered) socket.deliver("pong", {});
    }
    expect(socket.closeCode).toBeUndefined();
    await driver.clock.advance(60_000);
    expect(socket.closeCode).toBe(4000);
    expect(driver.recorded.at(-1)).toEqual(["interrupted", "disconnected"]);
  },
);

test("a page that sleeps while nothing is asked asks when it wakes; one that sleeps after it has asked comes back", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  driver.sleep(60_000);
  await driver.clock.advance(35_000);
  expect(socket.sent.filter(({ type }) => type === "ping")).toHaveLength(1);
  driver.sleep(60_000);
  await driver.clock.advance(5_000);
  expect(socket.closeCode).toBe(4000);
  expect((await driver.signIn()).sent).toEqual([returned]);
});

test("a page that is put away leaves at once, and comes back by its session when it is shown", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  driver.page.hide(true);
  expect(socket.sent.at(-1)).toEqual({ type: "bye", data: { back: true } });
  expect(socket.closeCode).toBe(1000);
  expect(driver.recorded.at(-1)).toEqual(["interrupted", "disconnected"]);
  await driver.clock.advance(60_000);
  expect(driver.sockets).toHaveLength(1);
  driver.page.wake();
  expect((await driver.signIn()).sent).toEqual([returned]);
});

test("a page that goes for good says so", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  driver.page.hide(false);
  expect(socket.sent.at(-1)).toEqual({ type: "bye", data: {} });
});

test("asked to reconnect, the client keeps its socket until another has taken over, and nobody notices", async () => {
  const driver = driveSession();
  const old = await driver.signIn();
  old.deliver("reconnect", { after: 3_000 });
  await driver.clock.advance(2_999);
  expect(driver.sockets).toHaveLength(1);
  await driver.clock.advance(1);
  const fresh = await driver.socket();
  expect(fresh).not.toBe(old);
  old.deliver("peerConnect", { name: "Bob", id: "b1" });
  expect(driver.recorded.at(-1)).toEqual(["peerConnect", { name: "Bob", id: "b1" }]);
  await driver.signIn();
  old.deliver("peerConnect", { name: "Bob", id: "stale" });
  old.close(4002);
  await driver.clock.advance(10_000);
  expect(driver.recorded.map(([name]) => name)).toEqual([
    "iceServers",
    "online",
    "peerConnect",
    "iceServers",
    "online",
  ]);
});

test("being taken over by our own new socket is no loss, even when the old one hears of it first", async () => {
  const driver = driveSession();
  const old = await driver.signIn();
  old.deliver("reconnect", { after: 0 });
  await driver.socket();
  old.close(4002);
  expect(driver.recorded.at(-1)?.[0]).toBe("online");
  await driver.signIn();
  expect(driver.recorded.map(([name]) => name)).toEqual(["iceServers", "online", "iceServers", "online"]);
});

test("being taken over by a socket of ours that was given up, since its answer was lost, is no end either", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  driver.page.wake();
  await driver.clock.advance(500);
  (await driver.socket()).accept();
  socket.deliver("pong", {});
  await driver.clock.advance(10_000);
  expect(driver.sockets.at(-1)?.closeCode).toBe(4000);
  socket.close(4002);
  expect(driver.recorded.at(-1)).toEqual(["interrupted", "disconnected"]);
  await driver.clock.advance(500);
  expect((await driver.signIn()).sent).toEqual([returned]);
});

test("a server that was too busy for a second socket is left alone as long, though the first one breaks", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  socket.deliver("reconnect", { after: 0 });
  (await driver.socket()).close(1013);
  socket.close(1006);
  await driver.clock.advance(9_999);
  expect(driver.sockets).toHaveLength(2);
  await driver.clock.advance(1_000);
  expect(driver.sockets).toHaveLength(3);
});

test("a socket that fails to take over leaves the old one in charge, and is tried again", async () => {
  const driver = driveSession();
  const old = await driver.signIn();
  old.deliver("reconnect", { after: 0 });
  (await driver.socket()).close(1006);
  expect(driver.recorded.at(-1)?.[0]).toBe("online");
  await driver.clock.advance(250);
  expect(driver.sockets).toHaveLength(3);
  old.close(1012);
  expect(driver.recorded.at(-1)).toEqual(["interrupted", "disconnected"]);
  await driver.signIn();
  expect(driver.recorded.at(-1)?.[0]).toBe("online");
});

test("what was asked on the old socket is still answered there after another has taken over", async () => {
  const driver = driveSession();
  const old = await driver.signIn();
  const removed = driver.session.removeUser("Bob");
  old.deliver("reconnect", { after: 0 });
  await driver.signIn();
  old.deliver("removeResponse", { name: "Bob" }, { id: old.sent.at(-1).id });
  await removed;
});

test("presence, trust and signals are told in order, as the server says them", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  socket.deliver("userAdd", "Bob");
  socket.deliver("peerConnect", { name: "Bob", id: "b1" });
  socket.deliver("peerRequest", { from: "b1", signal: { attempt: 1 } });
  socket.deliver("peerDisconnect", "b1", { lost: true });
  socket.deliver("peerDisconnect", "b1");
  socket.deliver("userRemove", "Bob");
  socket.deliver("iceServers", { servers: [{ urls: "stun:stun.example.org" }] });
  expect(driver.recorded.slice(2)).toEqual([
    ["userAdd", "Bob"],
    ["peerConnect", { name: "Bob", id: "b1" }],
    ["signal", "peerRequest", "b1", { attempt: 1 }],
    ["peerDisconnect", "b1", true],
    ["peerDisconnect", "b1", false],
    ["userRemove", "Bob"],
    ["iceServers", [{ urls: "stun:stun.example.org" }]],
  ]);
});

test("a signal that cannot be delivered is told with whom it was for", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  driver.session.signal("peerRequest", "b1", { attempt: 1 });
  const { id, ...frame } = socket.sent.at(-1);
  expect(frame).toEqual({ type: "peerRequest", data: { to: "b1", signal: { attempt: 1 } } });
  socket.deliver("error", { code: "unknown-peer", message: "No such peer." }, { id });
  expect(driver.recorded.at(-1)).toEqual(["unreachable", "b1"]);
});

test("requests resolve with their own answers, in whatever order these come", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  const invited = driver.session.invite("bob@example.org");
  const token = driver.session.requestToken("Bob");
  const [invite, request] = socket.sent.slice(-2);
  socket.deliver("tokenResponse", { token: "t", expires: "2030-01-01T00:00:00.000Z" }, { id: request.id });
  expect(await token).toEqual({ token: "t", expires: new Date("2030-01-01T00:00:00Z") });
  socket.deliver("inviteResponse", {}, { id: invite.id });
  await invited;
});

test("of a token only what stands before its first dot is the server's to see", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  const claimed = driver.session.claimToken("Ann", "for-the-server.for-the-peers.alone");
  expect(socket.sent.at(-1).data).toEqual({ name: "Ann", token: "for-the-server" });
  socket.deliver("claimResponse", { name: "Ann" }, { id: socket.sent.at(-1).id });
  await claimed;
});

test("a refused request rejects with the server's code and words", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  const claimed = driver.session.claimToken("Ann", "stale");
  socket.deliver("error", { code: "token-invalid", message: "Ask for a new token." }, { id: socket.sent.at(-1).id });
  await expect(claimed).rejects.toMatchObject({ code: "token-invalid", message: "Ask for a new token." });
});

test("what is longer than a server reads is refused here, so that the session survives it", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  const sent = socket.sent.length;
  const long = "é".repeat(33 * 1024);
  await expect(driver.session.requestToken(long)).rejects.toMatchObject({ code: "too-large" });
  driver.session.signal("peerRequest", "b1", long);
  expect(driver.recorded.at(-1)).toEqual(["unreachable", "b1"]);
  expect(socket.sent).toHaveLength(sent);
});

test("requests fail with disconnected when their socket ends, and with not-connected while there is none", async () => {
  const driver = driveSession();
  await expect(driver.session.invite("bob@example.org")).rejects.toMatchObject({ code: "not-connected" });
  const socket = await driver.signIn();
  const invited = driver.session.invite("bob@example.org");
  socket.close(1006);
  await expect(invited).rejects.toMatchObject({ code: "disconnected" });
  await expect(driver.session.invite("bob@example.org")).rejects.toMatchObject({ code: "not-connected" });
});

test("a request that a living server does not answer ends with timeout", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  const invited = driver.session.invite("bob@example.org").catch((error) => error.code);
  await driver.clock.advance(20_000);
  socket.deliver("ping", {});
  await driver.clock.advance(10_000);
  expect(await invited).toBe("timeout");
});

test("after a change of password the client comes back by the new secret", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  const changed = driver.session.changePassword("secret", "better");
  expect(socket.sent.at(-1)).toMatchObject({ type: "changePassword", data: { current: "secret", password: "better" } });
  socket.deliver("passwordResponse", { session: "new secret" }, { id: socket.sent.at(-1).id });
  await changed;
  socket.close(1006);
  await driver.clock.advance(250);
  const again = await driver.socket();
  again.accept();
  expect(again.sent[0].data).toEqual({ version: 1, session: "new secret" });
});

/** Where a password is being changed, and the server has not answered yet. */
async function changing(credentials?: Credentials) {
  const driver = driveSession(credentials);
  const socket = await driver.signIn();
  const changed = driver.session.changePassword("secret", "better").then(
    () => "changed",
    (error) => error.code,
  );
  const { id } = socket.sent.at(-1);
  const answer = () => socket.deliver("passwordResponse", { session: "new secret" }, { id });
  const refuse = (code: string) => socket.deliver("error", { code, message: "" }, { id });
  /** The newest socket says who it is, and is refused. */
  async function beRefused() {
    const next = await driver.socket();
    next.accept();
    next.close(4001);
    return next.sent[0].data;
  }
  return { driver, socket, changed, answer, refuse, beRefused };
}

test("who comes back by the old secret while the password changes waits for the new one", async () => {
  const { driver, socket, changed, answer, beRefused } = await changing();
  socket.deliver("reconnect", { after: 0 });
  await driver.clock.advance(0);
  expect(await beRefused()).toEqual({ version: 1, session: "secret of ann" });
  answer();
  expect(await changed).toBe("changed");
  socket.close(1006);
  await driver.clock.advance(500);
  const again = await driver.signIn();
  expect(again.sent[0].data).toEqual({ version: 1, session: "new secret" });
  expect(driver.recorded.some(([event]) => event === "ended")).toBe(false);
});

test("who was refused by the old secret while the answer was on its way comes back by the new one", async () => {
  const { driver, socket, answer, beRefused } = await changing();
  socket.deliver("reconnect", { after: 0 });
  await driver.clock.advance(0);
  const next = driver.sockets.at(-1);
  next?.accept();
  answer();
  socket.close(4002);
  await beRefused();
  await driver.clock.advance(500);
  const again = await driver.signIn();
  expect(again.sent[0].data).toEqual({ version: 1, session: "new secret" });
});

test("the new secret holds, also where the server then lets in who showed the old one", async () => {
  const { driver, socket, changed, answer } = await changing();
  socket.deliver("reconnect", { after: 0 });
  await driver.clock.advance(0);
  answer();
  await changed;
  (await driver.signIn()).close(1006);
  await driver.clock.advance(500);
  const again = await driver.signIn();
  expect(again.sent[0].data).toEqual({ version: 1, session: "new secret" });
});

test.each<Credentials>([
  { username: "ann", password: "secret" },
  { invite: "inv", password: "secret" },
])("where the answer to a change of password is lost, the new password is tried once", async (credentials) => {
  const { driver, socket, changed, beRefused } = await changing(credentials);
  socket.close(1006);
  expect(await changed).toBe("disconnected");
  await driver.clock.advance(500);
  expect(await beRefused()).toEqual({ version: 1, session: "secret of ann" });
  await driver.clock.advance(2_000);
  const again = await driver.signIn();
  expect(again.sent[0].data).toEqual({ version: 1, username: "ann", password: "better" });
  again.close(4001);
  expect(driver.recorded.at(-1)).toEqual(["ended", "unauthenticated"]);
});

test("a password that the server did not take is not tried", async () => {
  const { driver, socket, changed, refuse } = await changing();
  refuse("unauthenticated");
  expect(await changed).toBe("unauthenticated");
  socket.close(4001);
  expect(driver.recorded.at(-1)).toEqual(["ended", "unauthenticated"]);
});

test("a type that we do not know is ignored, be it named like a property of every object", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  for (const type of ["weather", "__proto__", "constructor", "toString"])
    socket.deliverRaw(JSON.stringify({ type, data: 1 }));
  expect(socket.closeCode).toBeUndefined();
  expect(driver.recorded).toHaveLength(2);
});

test.each([
  ["no JSON", "{"],
  ["no object", "[]"],
  ["binary", new ArrayBuffer(4)],
  ["a message without a type", JSON.stringify({ data: {} })],
  ["data of the wrong shape", JSON.stringify({ type: "peerConnect", data: { name: "Bob" } })],
  ["an id that is no positive integer", JSON.stringify({ type: "pong", data: {}, id: -1 })],
  ["a second sign-in", JSON.stringify({ type: "peerList", data: [] })],
])("a server that sends %s is left for good, with protocol", async (_what, frame) => {
  const driver = driveSession();
  const socket = await driver.signIn();
  socket.deliverRaw(frame);
  expect(socket.closeCode).toBe(4000);
  await driver.clock.advance(60_000);
  expect(driver.recorded.at(-1)).toEqual(["ended", "protocol"]);
  expect(driver.sockets).toHaveLength(1);
});

test("a server that answers another question than was asked is left, and the asker is told", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  const invited = driver.session.invite("bob@example.org");
  socket.deliver("claimResponse", { name: "Bob" }, { id: socket.sent.at(-1).id });
  await expect(invited).rejects.toMatchObject({ code: "disconnected" });
  expect(driver.recorded.at(-1)).toEqual(["ended", "protocol"]);
});

test("news before the sign-in is done break the protocol", async () => {
  const driver = driveSession();
  const socket = await driver.socket();
  socket.accept();
  socket.deliver("peerConnect", { name: "Bob", id: "b1" });
  expect(driver.recorded).toEqual([["ended", "protocol"]]);
});

test("a server of another version is incompatible", async () => {
  const driver = driveSession();
  const socket = await driver.socket();
  socket.accept();
  socket.deliver("setPeerId", { version: 2, peerId: "me", username: "ann", session: "s", resumed: false });
  expect(driver.recorded).toEqual([["ended", "incompatible"]]);
});

test("close says goodbye, is told to nobody, and resolves when the socket has closed", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  let left = false;
  const closing = driver.session.close().then(() => {
    left = true;
  });
  expect(driver.session.close()).toBe(driver.session.close());
  expect(socket.sent.at(-1)).toEqual({ type: "bye", data: {} });
  await driver.clock.advance(100);
  expect(left).toBe(false);
  socket.close(1000);
  await closing;
  await driver.clock.advance(60_000);
  expect(driver.recorded).toHaveLength(2);
  expect(driver.clock.waiting).toBe(0);
});

test("close does not wait longer than 2 s for a server that does not answer", async () => {
  const driver = driveSession();
  await driver.signIn();
  const closing = driver.session.close();
  await driver.clock.advance(2_000);
  await closing;
});

test("a session that is closed while it signs in, or while it waits to come back, opens nothing more", async () => {
  const early = driveSession();
  const closing = early.session.close();
  await early.clock.advance(60_000);
  await closing;
  expect(early.sockets).toHaveLength(0);

  const waiting = driveSession();
  (await waiting.signIn()).close(1006);
  await waiting.session.close();
  waiting.page.wake();
  await waiting.clock.advance(60_000);
  expect(waiting.sockets).toHaveLength(1);
});

test("a session that is closed when it is told of an outage opens nothing more", async () => {
  const clock = createVirtualClock();
  const { WebSocket, opened } = createFakeSockets();
  const session = websocket({ WebSocket, clock }).open(
    "example.org",
    { username: "ann", password: "secret" },
    {
      ...createEventRecorder().events,
      interrupted: () => void session.close(),
    },
  );
  await clock.advance(0);
  const socket = opened[0]!;
  socket.accept();
  socket.deliver("setPeerId", { version: 1, peerId: "me", username: "ann", session: "secret of ann", resumed: false });
  socket.deliver("userList", []);
  socket.deliver("peerList", []);
  socket.close(1006);
  await clock.advance(60_000);
  expect(opened).toHaveLength(1);
});
