import { describe, expect, test, vi } from "vitest";
import { eventually } from "../../tools/eventually.ts";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import type { Credentials } from "./discovery.ts";
import { createEventRecorder } from "./testing/event-recorder.ts";
import { createFakeSockets } from "./websocket/testing/fake-sockets.ts";
import { driveSession } from "./websocket/testing/session-driver.ts";
import { websocket } from "./websocket.ts";

const returned = { type: "authenticate", data: { version: 1, session: "secret of ann" } };

const b1 = "b1".repeat(16);

test("a session emits nothing before open has returned, and its first frame authenticates", async () => {
  const driver = driveSession();
  expect(driver.recorded).toEqual([]);
  const socket = await driver.socket();
  expect(socket.url).toBe("wss://example.org/");
  socket.accept();
  expect(socket.sent).toEqual([{ type: "authenticate", data: { version: 1, username: "ann", password: "secret" } }]);
});

test("a sign-in emits the lists in one snapshot", async () => {
  const driver = driveSession();
  await driver.signIn({ users: ["Bob"], peers: [{ name: "Bob", id: b1 }] });
  expect(driver.recorded).toEqual([
    ["iceServers", []],
    ["online", { self: { id: "me", username: "ann" }, users: ["Bob"], peers: [{ name: "Bob", id: b1 }] }],
  ]);
});

test("an invitation is accepted with the chosen password, and reconnects need neither", async () => {
  const driver = driveSession({ invite: "inv", password: "chosen" });
  const socket = await driver.signIn();
  expect(socket.sent).toEqual([{ type: "acceptInvite", data: { version: 1, invite: "inv", password: "chosen" } }]);
  socket.close(1006);
  await driver.clock.advance(500);
  const again = await driver.signIn();
  expect(again.sent).toEqual([returned]);
});

test("a guest asks for its room again at every reconnect, with its session", async () => {
  const driver = driveSession({ room: "demo", name: "Ann" }, { app: "todo" });
  const echo = { app: "todo", room: "demo" };
  const socket = await driver.signIn(echo);
  expect(driver.recorded.at(-1)).toMatchObject(["online", { self: { id: "me", username: "ann", room: "demo" } }]);
  socket.close(1006);
  await driver.clock.advance(500);
  const again = await driver.signIn(echo);
  const claim = { version: 1, app: "todo", room: "demo", name: "Ann" };
  expect(socket.sent).toEqual([{ type: "authenticate", data: claim }]);
  expect(again.sent).toEqual([{ type: "authenticate", data: { ...claim, session: "secret of ann" } }]);
});

test.each([
  { asked: "an app", options: { app: "todo" }, echo: {} },
  { asked: "another app", options: { app: "todo" }, echo: { app: "chat" } },
  { asked: "a room", credentials: { room: "demo" }, echo: {} },
  { asked: "another room", credentials: { room: "demo" }, echo: { room: "other" } },
])(
  "a server that does not echo the app or the room is incompatible: $asked",
  async ({ credentials, options, echo }) => {
    const driver = driveSession(credentials, options);
    await driver.signIn(echo);
    expect(driver.recorded).toEqual([["ended", "incompatible"]]);
  },
);

test("features of the server that this version does not know are ignored", async () => {
  const driver = driveSession();
  await driver.signIn({ features: ["of the future"] });
  expect(driver.recorded.at(-1)?.[0]).toBe("online");
});

test("each first frame carries the profile of that moment, and a change is sent to a server that understands it", async () => {
  let profile: object = { n: 1 };
  const driver = driveSession(undefined, { profile: () => profile });
  expect(driver.session.setProfile?.({ n: 0 })).toBe(true);
  const socket = await driver.signIn({ features: ["profiles"] });
  expect(driver.session.setProfile?.({ n: 2 } as object)).toBe(true);
  expect(socket.sent.map(({ type, data }) => [type, data.profile])).toEqual([
    ["authenticate", { n: 1 }],
    ["setProfile", { n: 2 }],
  ]);
  profile = { n: 3 };
  socket.close(1006);
  await driver.clock.advance(500);
  const again = await driver.signIn({ features: ["profiles"] });
  expect(again.sent[0].data).toMatchObject({ session: "secret of ann", profile: { n: 3 } });
});

test("a server without profiles gets none after the first frame", async () => {
  const driver = driveSession(undefined, { profile: () => ({ n: 1 }) as object });
  const socket = await driver.signIn({ features: ["stay"] });
  expect(driver.session.setProfile?.({ n: 2 } as object)).toBe(false);
  expect(socket.sent.map(({ type }) => type)).toEqual(["authenticate"]);
});

test("a batch of profiles emits one event for each peer, and a malformed one ends the socket", async () => {
  const driver = driveSession();
  const socket = await driver.signIn({ users: ["Bob"], peers: [{ name: "Bob", id: b1, profile: { n: 1 } }] });
  expect(driver.recorded.at(-1)).toMatchObject(["online", { peers: [{ id: b1, profile: { n: 1 } }] }]);
  socket.deliver("peerUpdates", [
    ["b1", { n: 2 }],
    ["b2", null],
  ]);
  expect(driver.recorded.slice(-2)).toEqual([
    ["peerUpdate", "b1", { n: 2 }],
    ["peerUpdate", "b2", null],
  ]);
  socket.deliverRaw(JSON.stringify({ type: "peerUpdates", data: [[7, {}]] }));
  expect(driver.recorded.at(-1)).toEqual(["ended", "protocol"]);
});

test("a token function is called at the sign-in and at every reconnect", async () => {
  let asked = 0;
  const driver = driveSession({ token: async () => `token ${++asked}` });
  const socket = await driver.signIn();
  expect(socket.sent[0].data).toEqual({ version: 1, token: "token 1" });
  socket.close(1006);
  await driver.clock.advance(500);
  const again = await driver.signIn();
  expect(again.sent[0].data).toEqual({ version: 1, token: "token 2", session: "secret of ann" });
});

test("after a refused token the function is called once more, and only once", async () => {
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

test("a token function that fails ends the first sign-in, with its error as the cause", async () => {
  const cause = new Error("no token today");
  const ended = new Promise<any>((resolve) => {
    websocket({ WebSocket: class {} as never, clock: createVirtualClock() }).open(
      "example.org",
      { token: () => Promise.reject(cause) },
      { ...createEventRecorder().events, ended: resolve },
      { app: "" },
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

test("a token function that returns nothing within 30 s ends the first sign-in", async () => {
  const driver = driveSession({ token: () => new Promise(() => {}) });
  await driver.clock.advance(29_999);
  expect(driver.recorded).toEqual([]);
  await driver.clock.advance(1);
  expect(driver.recorded).toEqual([["ended", "unauthenticated"]]);
  expect(driver.clock.waiting).toBe(0);
});

test("a session that closes stops waiting for its token function", async () => {
  const driver = driveSession({ token: () => new Promise(() => {}) });
  await driver.clock.advance(1_000);
  await driver.session.close();
  expect(driver.clock.waiting).toBe(0);
  await driver.clock.advance(60_000);
  expect(driver.recorded).toEqual([]);
});

test("a token function without an answer at a reconnect is called again, and its late answer is ignored", async () => {
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

test("a token function that fails at a reconnect is called again later", async () => {
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

// Neither later nor when the page wakes does it try again.
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
  driver.page.wake();
  await driver.clock.advance(60_000);
  expect(driver.recorded).toEqual([["ended", error]]);
  expect(driver.sockets).toHaveLength(1);
});

test("the user sees the error that the server sent before it closed", async () => {
  const driver = driveSession({ invite: "used", password: "chosen" });
  const socket = await driver.socket();
  socket.accept();
  socket.deliver("error", { code: "token-invalid", message: "This invitation was used. Ask for another." });
  socket.close(4001);
  expect(driver.recorded).toEqual([["ended", "token-invalid"]]);
});

test("an invalid host ends the first sign-in like a server that does not answer", async () => {
  const driver = driveSession(undefined, { host: "two words" });
  await driver.clock.advance(0);
  expect(driver.recorded).toEqual([["ended", "unreachable"]]);
});

test("on a platform without WebSocket the error says to pass one", async () => {
  vi.stubGlobal("WebSocket", undefined);
  const ended = new Promise((resolve) => {
    websocket().open(
      "example.org",
      { username: "a", password: "b" },
      { ...createEventRecorder().events, ended: resolve },
      { app: "" },
    );
  });
  expect(await ended).toMatchObject({
    code: "unsupported",
    message: expect.stringContaining("websocket({ WebSocket })"),
  });
  vi.unstubAllGlobals();
});

test("a WebSocket that the platform refuses is unreachable, with the platform's error as the cause", async () => {
  const refusal = new Error("mixed content");
  const Refusing = class {
    constructor() {
      throw refusal;
    }
  };
  const ended = new Promise<any>((resolve) => {
    const events = { ...createEventRecorder().events, ended: resolve };
    websocket({ WebSocket: Refusing as never }).open("ws://example.org", { username: "a", password: "b" }, events, {
      app: "",
    });
  });
  expect(await ended).toMatchObject({
    code: "unreachable",
    cause: refusal,
    message: expect.stringMatching(/Content-Security-Policy/),
  });
});

test("the error without an answer names the address and what can block it", async () => {
  const { WebSocket, opened } = createFakeSockets();
  const ended = new Promise((resolve) => {
    const events = { ...createEventRecorder().events, ended: resolve };
    websocket({ WebSocket }).open("example.org:8000", { username: "a", password: "b" }, events, { app: "" });
  });
  await eventually(() => expect(opened).toHaveLength(1));
  opened[0]?.close(1006);
  expect(await ended).toMatchObject({
    message: expect.stringMatching(/wss:\/\/example\.org:8000\/.*Content-Security-Policy/),
  });
});

test("a server that sends only unknown messages is given up after 10 s", async () => {
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

test("a slow sign-in may take longer than 10 s while its lists arrive", async () => {
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

test("a server that accepts the socket and sends nothing is given up after 10 s", async () => {
  const driver = driveSession();
  const socket = await driver.socket();
  await driver.clock.advance(9_999);
  expect(driver.recorded).toEqual([]);
  await driver.clock.advance(1);
  expect(socket.closeCode).toBe(4000);
  expect(driver.recorded).toEqual([["ended", "unreachable"]]);
});

test.each([1001, 1006, 1011, 1012, 3000, 4000])(
  "after a loss with %i the session reconnects with its secret",
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
])("a later close with %i ends the session with %s", async (code, error) => {
  const driver = driveSession();
  (await driver.signIn()).close(code);
  await driver.clock.advance(60_000);
  expect(driver.recorded.at(-1)).toEqual(["ended", error]);
  expect(driver.sockets).toHaveLength(1);
});

test("the delays between attempts double, and an outage is emitted once", async () => {
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

test("only a connection of 10 s resets the delays", async () => {
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

test("a page that wakes reconnects at once", async () => {
  const driver = driveSession(undefined, { random: 0.999 });
  (await driver.signIn()).close(1006);
  await driver.clock.advance(100);
  expect(driver.sockets).toHaveLength(1);
  driver.page.wake();
  await driver.clock.advance(0);
  expect(driver.sockets).toHaveLength(2);
});

test("after overload the client waits as long as the server asks, or 10 s, even if the page wakes", async () => {
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

test("a server is given up after 35 s of silence, and any message restarts that time", async () => {
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

test("a page that wakes pings the server, and gives it up after 5 s", async () => {
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

test("if a ping has no answer at once, the client opens another socket meanwhile", async () => {
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

test("after sleep the client pings first; after sleep during a ping it reconnects", async () => {
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

test("a hidden page leaves at once, and reconnects with its secret when it is shown", async () => {
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

test("a page that ends sends bye without back", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  driver.page.hide(false);
  expect(socket.sent.at(-1)).toEqual({ type: "bye", data: {} });
});

test("on reconnect the client keeps its socket until another has taken over, and emits nothing", async () => {
  const driver = driveSession();
  const old = await driver.signIn();
  old.deliver("reconnect", { after: 3_000 });
  await driver.clock.advance(2_999);
  expect(driver.sockets).toHaveLength(1);
  await driver.clock.advance(1);
  const fresh = await driver.socket();
  expect(fresh).not.toBe(old);
  old.deliver("peerConnect", { name: "Bob", id: b1 });
  expect(driver.recorded.at(-1)).toEqual(["peerConnect", { name: "Bob", id: b1 }]);
  await driver.signIn();
  old.deliver("peerConnect", { name: "Bob", id: "57a1e".padEnd(32, "0") });
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

test("a socket that is superseded by the session's next one is no loss, even if it closes first", async () => {
  const driver = driveSession();
  const old = await driver.signIn();
  old.deliver("reconnect", { after: 0 });
  await driver.socket();
  old.close(4002);
  expect(driver.recorded.at(-1)?.[0]).toBe("online");
  await driver.signIn();
  expect(driver.recorded.map(([name]) => name)).toEqual(["iceServers", "online", "iceServers", "online"]);
});

test("a socket that is superseded by an attempt that was given up does not end the session", async () => {
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

test("a server that refused a second socket with a delay is not dialed earlier, even if the first one breaks", async () => {
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

test("if a new socket fails, the old one stays and the client tries again", async () => {
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

test("requests on the old socket are answered there after another has taken over", async () => {
  const driver = driveSession();
  const old = await driver.signIn();
  const removed = driver.session.removeUser("Bob");
  old.deliver("reconnect", { after: 0 });
  await driver.signIn();
  old.deliver("removeResponse", { name: "Bob" }, { id: old.sent.at(-1).id });
  await removed;
});

test("presence, trust and signals are emitted in the server's order", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  socket.deliver("userAdd", "Bob");
  socket.deliver("peerConnect", { name: "Bob", id: b1 });
  socket.deliver("peerRequest", { from: "b1", signal: { attempt: 1 } });
  socket.deliver("peerDisconnect", "b1", { lost: true });
  socket.deliver("peerDisconnect", "b1");
  socket.deliver("userRemove", "Bob");
  socket.deliver("iceServers", { servers: [{ urls: "stun:stun.example.org" }] });
  expect(driver.recorded.slice(2)).toEqual([
    ["userAdd", "Bob"],
    ["peerConnect", { name: "Bob", id: b1 }],
    ["signal", "peerRequest", "b1", { attempt: 1 }],
    ["peerDisconnect", "b1", true],
    ["peerDisconnect", "b1", false],
    ["userRemove", "Bob"],
    ["iceServers", [{ urls: "stun:stun.example.org" }]],
  ]);
});

test("a signal that cannot be delivered emits unreachable with its receiver", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  driver.session.signal("peerRequest", "b1", { attempt: 1 });
  const { id, ...frame } = socket.sent.at(-1);
  expect(frame).toEqual({ type: "peerRequest", data: { to: "b1", signal: { attempt: 1 } } });
  socket.deliver("error", { code: "unknown-peer", message: "No such peer." }, { id });
  expect(driver.recorded.at(-1)).toEqual(["unreachable", "b1"]);
});

test("requests resolve with their own answers in any order", async () => {
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

test("an invitation with a name rejects if the server ignored the name", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  const invited = driver.session.invite("bob@example.org", { alias: "Bob", as: "Ann" });
  const { id, data } = socket.sent.at(-1);
  expect(data).toEqual({ email: "bob@example.org", alias: "Bob", as: "Ann" });
  socket.deliver("inviteResponse", {}, { id });
  await expect(invited).rejects.toMatchObject({ code: "unsupported" });
  driver.session.invite("bob@example.org", { alias: null, as: null } as any).catch(() => {});
  expect(JSON.parse(JSON.stringify(socket.sent.at(-1).data))).toEqual({ email: "bob@example.org" });
  const again = driver.session.invite("bob@example.org", { alias: "Bob" });
  socket.deliver("inviteResponse", { alias: "Bob" }, { id: socket.sent.at(-1).id });
  await again;
});

test("only the part of a token before its first dot is sent to the server", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  const claimed = driver.session.claimToken("Ann", "for-the-server.for-the-peers.alone");
  expect(socket.sent.at(-1).data).toEqual({ name: "Ann", token: "for-the-server" });
  socket.deliver("claimResponse", { name: "Ann" }, { id: socket.sent.at(-1).id });
  await claimed;
});

test("a refused request rejects with the server's code and message", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  const claimed = driver.session.claimToken("Ann", "stale");
  socket.deliver("error", { code: "token-invalid", message: "Ask for a new token." }, { id: socket.sent.at(-1).id });
  await expect(claimed).rejects.toMatchObject({ code: "token-invalid", message: "Ask for a new token." });
});

test("a frame that is too large for a server is refused locally, so the session survives", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  const sent = socket.sent.length;
  const long = "é".repeat(33 * 1024);
  await expect(driver.session.requestToken(long)).rejects.toMatchObject({ code: "too-large" });
  driver.session.signal("peerRequest", "b1", long);
  expect(driver.recorded.at(-1)).toEqual(["unreachable", "b1"]);
  expect(socket.sent).toHaveLength(sent);
});

test("requests fail with disconnected when their socket ends, and with not-connected without one", async () => {
  const driver = driveSession();
  await expect(driver.session.invite("bob@example.org")).rejects.toMatchObject({ code: "not-connected" });
  const socket = await driver.signIn();
  const invited = driver.session.invite("bob@example.org");
  socket.close(1006);
  await expect(invited).rejects.toMatchObject({ code: "disconnected" });
  await expect(driver.session.invite("bob@example.org")).rejects.toMatchObject({ code: "not-connected" });
});

test("a request without an answer ends with timeout", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  const invited = driver.session.invite("bob@example.org").catch((error) => error.code);
  await driver.clock.advance(20_000);
  socket.deliver("ping", {});
  await driver.clock.advance(10_000);
  expect(await invited).toBe("timeout");
});

test("after a password change the client reconnects with the new secret", async () => {
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

test("a reconnect with the old secret during a password change waits for the new one", async () => {
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

test("a reconnect that was refused during a password change is repeated with the new secret", async () => {
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

test("the new secret is kept even if the server accepts the old one afterwards", async () => {
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
])("if the answer to a password change is lost, the new password is tried once", async (credentials) => {
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

test("a password that the server refused is not tried", async () => {
  const { driver, socket, changed, refuse } = await changing();
  refuse("unauthenticated");
  expect(await changed).toBe("unauthenticated");
  socket.close(4001);
  expect(driver.recorded.at(-1)).toEqual(["ended", "unauthenticated"]);
});

test("unknown message types are ignored, even with the name of an object's property", async () => {
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
])("a server that sends %s ends the session with protocol", async (_what, frame) => {
  const driver = driveSession();
  const socket = await driver.signIn();
  socket.deliverRaw(frame);
  expect(socket.closeCode).toBe(4000);
  await driver.clock.advance(60_000);
  expect(driver.recorded.at(-1)).toEqual(["ended", "protocol"]);
  expect(driver.sockets).toHaveLength(1);
});

test("a response of the wrong type ends the session, and the request fails", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  const invited = driver.session.invite("bob@example.org");
  socket.deliver("claimResponse", { name: "Bob" }, { id: socket.sent.at(-1).id });
  await expect(invited).rejects.toMatchObject({ code: "disconnected" });
  expect(driver.recorded.at(-1)).toEqual(["ended", "protocol"]);
});

test("events before the end of the sign-in break the protocol", async () => {
  const driver = driveSession();
  const socket = await driver.socket();
  socket.accept();
  socket.deliver("peerConnect", { name: "Bob", id: b1 });
  expect(driver.recorded).toEqual([["ended", "protocol"]]);
});

test("a server of another version is incompatible", async () => {
  const driver = driveSession();
  const socket = await driver.socket();
  socket.accept();
  socket.deliver("setPeerId", { version: 2, peerId: "me", username: "ann", session: "s", resumed: false });
  expect(driver.recorded).toEqual([["ended", "incompatible"]]);
});

test("close sends bye, emits nothing, and resolves when the socket has closed", async () => {
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

test("a session that has closed leaves no timer", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  const removed = driver.session.removeUser("Bob");
  socket.deliver("removeResponse", { name: "Bob" }, { id: socket.sent.at(-1).id });
  await removed;
  driver.page.wake();
  const closing = driver.session.close();
  socket.close(1000);
  await closing;
  expect(driver.clock.waiting).toBe(0);
});

test("close waits at most 2 s for a server that does not answer", async () => {
  const driver = driveSession();
  await driver.signIn();
  const closing = driver.session.close();
  await driver.clock.advance(2_000);
  await closing;
});

test("a session that is closed while it signs in or waits opens no more sockets", async () => {
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

test("a session that is closed by the listener of an outage opens no more sockets", async () => {
  const clock = createVirtualClock();
  const { WebSocket, opened } = createFakeSockets();
  const session = websocket({ WebSocket, clock }).open(
    "example.org",
    { username: "ann", password: "secret" },
    {
      ...createEventRecorder().events,
      interrupted: () => void session.close(),
    },
    { app: "" },
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

test.each(["bob", "Us", "*", "", "B1".repeat(16)])(
  "a server that gives a peer the id %j, which a query may read as a name, ends the socket",
  async (id) => {
    const driver = driveSession();
    const socket = await driver.signIn();
    socket.deliver("peerConnect", { name: "Mallory", id });
    expect(driver.recorded.at(-1)).toEqual(["ended", "protocol"]);
  },
);

test("a server that does not know rooms is incompatible, although it refuses the frame as malformed", async () => {
  const driver = driveSession({ room: "demo", name: "Ann" });
  const socket = await driver.socket();
  socket.deliver("error", { code: "protocol", message: "The data of authenticate is invalid." });
  socket.close(1008);
  expect(driver.recorded.at(-1)).toEqual(["ended", "incompatible"]);
});

describe("the relay of the server", () => {
  const ticket = (name: string) => ({ url: "relay", ticket: name });
  const access = (name: string) => ({ ...ticket(name), server: "wss://example.org/", WebSocket: expect.any(Function) });

  test("is absent where the server has none", async () => {
    const { session, signIn } = driveSession();
    expect(session.openRelay).toBeUndefined();
    await signIn();
    expect(session.openRelay).toBeUndefined();
  });

  test("gives a caller what the server answers, also on a later socket", async () => {
    const driver = driveSession();
    const first = await driver.signIn({ features: ["relay"] });
    const openRelay = driver.session.openRelay!;
    first.close(1006);
    await driver.clock.advance(500);
    const socket = await driver.signIn({ features: ["relay"] });
    const opening = openRelay(b1, "caller");
    await eventually(() => expect(socket.sent.at(-1)).toMatchObject({ type: "openRelay", data: { to: b1 } }));
    socket.deliver("relayResponse", ticket("of the caller"), { id: socket.sent.at(-1).id });
    expect(await opening).toEqual(access("of the caller"));
  });

  test("gives a callee the last offer for which the caller has asked", async () => {
    const driver = driveSession();
    const socket = await driver.signIn({ features: ["relay"] });
    const c1 = "c1".repeat(16);
    socket.deliver("relayOffer", { from: b1, ...ticket("an older one") });
    socket.deliver("relayOffer", { from: b1, ...ticket("of the callee") });
    socket.deliver("relayOffer", { from: c1, ...ticket("of another caller") });
    const openRelay = driver.session.openRelay!;
    expect(await openRelay(b1, "callee")).toMatchObject(access("of the callee"));
    expect(await openRelay("d1".repeat(16), "callee")).toBeUndefined();
  });

  test("keeps an offer, however many offers of another peer come, and forgets the first of 256 peers", async () => {
    const driver = driveSession();
    const socket = await driver.signIn({ features: ["relay"] });
    const offer = (number: number) => ({ from: number.toString(16).padStart(32, "0"), ...ticket("an offer") });
    const openRelay = driver.session.openRelay!;
    socket.deliver("relayOffer", offer(0));
    for (let count = 0; count < 256; count++) socket.deliver("relayOffer", offer(1));
    expect(await openRelay(offer(0).from, "callee")).toMatchObject(access("an offer"));
    for (let peer = 2; peer < 256; peer++) socket.deliver("relayOffer", offer(peer));
    socket.deliver("relayOffer", offer(0));
    socket.deliver("relayOffer", offer(256));
    expect(await openRelay(offer(0).from, "callee")).toMatchObject(access("an offer"));
    expect(await openRelay(offer(1).from, "callee")).toBeUndefined();
  });
});
