import { afterEach, expect, test } from "vitest";
import { type Clock, systemClock } from "../clock.ts";
import { type BroadcastChannelOptions, broadcastChannel } from "./broadcast-channel.ts";
import type { Credentials, DiscoverySession } from "./discovery.ts";
import { createPageLifecycle } from "./page-lifecycle.ts";
import { discoveryConformance } from "./testing/conformance.ts";
import { createEventRecorder, type RecordedEvent } from "./testing/event-recorder.ts";

let rooms = 0;
const newRoom = () => `room ${++rooms}`;

// What waits for answers waits a tenth as long: nobody here is slow. It waits in steps, because a process that was held up
// runs a timer before it reads what has arrived meanwhile.
const hurried: Clock = {
  now: systemClock.now,
  after(delay, task) {
    let stepsLeft = 5;
    let undo = () => {};
    const step = () => {
      undo = systemClock.after(delay / 50, --stepsLeft > 0 ? step : task);
    };
    step();
    return () => undo();
  },
};

for (const [how, options] of [
  ["with locks", {}],
  ["without locks", { locks: undefined, clock: hurried }],
] as const) {
  discoveryConformance(`broadcast-channel, ${how}`, {
    hasServer: false,
    start() {
      const host = newRoom();
      return {
        host,
        discovery: () => broadcastChannel(options),
        credentials: (username) => ({ username, password: "" }),
        close() {},
      };
    },
  });
}

const open: DiscoverySession[] = [];
afterEach(async () => {
  for (const session of open.splice(0)) await session.close();
});

function openTab(
  host: string,
  options: Partial<BroadcastChannelOptions> = {},
  credentials: Credentials = { username: "ann", password: "" },
) {
  const recorder = createEventRecorder();
  open.push(broadcastChannel(options).open(host, credentials, recorder.events, { app: "" }));
  return recorder;
}

const is =
  (name: RecordedEvent[0]) =>
  ([event]: RecordedEvent) =>
    event === name;

test("a user is announced once, before the first tab", async () => {
  const host = newRoom();
  const ann = openTab(host);
  await ann.until(is("online"));
  const first = openTab(host, {}, { username: "bob", password: "" });
  await first.until(is("online"));
  const second = openTab(host, {}, { username: "bob", password: "" });
  await second.until(is("online"));
  await ann.until(() => ann.recorded.filter(is("peerConnect")).length === 2);
  expect(ann.recorded.map(([event]) => event)).toEqual(["online", "userAdd", "peerConnect", "peerConnect"]);
});

test("a hidden page leaves, and returns with the same id when it is shown", async () => {
  const host = newRoom();
  const window = new EventTarget();
  const ann = openTab(host, { page: createPageLifecycle(window) });
  await ann.until(is("online"));
  const watcher = openTab(host, {}, { username: "bob", password: "" });
  await watcher.until(is("online"));
  window.dispatchEvent(Object.assign(new Event("pagehide"), { persisted: true }));
  expect(ann.recorded.at(-1)).toEqual(["interrupted", "disconnected"]);
  const [, id] = await watcher.until(is("peerDisconnect"));
  window.dispatchEvent(new Event("pageshow"));
  await watcher.until(([event, peer]) => event === "peerConnect" && (peer as { id: string }).id === id);
  expect(ann.recorded.filter(is("woke"))).toHaveLength(1);
});

test("a page that is put away before it is online, or twice, is interrupted at most once", async () => {
  const window = new EventTarget();
  const hide = () => window.dispatchEvent(Object.assign(new Event("pagehide"), { persisted: true }));
  const ann = openTab(newRoom(), { page: createPageLifecycle(window) });
  hide();
  window.dispatchEvent(new Event("pageshow"));
  await ann.until(is("online"));
  hide();
  hide();
  expect(ann.recorded.map(([event]) => event)).toEqual(["woke", "online", "interrupted"]);
});

test.for([
  ["with locks", {}],
  ["without locks", { locks: undefined, clock: hurried }],
] as const)("a tab %s that closes while it joins emits nothing more", async ([, options]) => {
  const host = newRoom();
  const window = new EventTarget();
  const ann = openTab(host, { ...options, page: createPageLifecycle(window) });
  const session = open.at(-1)!;
  await Promise.resolve();
  await session.close();
  window.dispatchEvent(new Event("pageshow"));
  session.signal("peerRequest", "0".repeat(32), {});
  const bob = openTab(host, options, { username: "bob", password: "" });
  await bob.until(is("online"));
  expect(ann.recorded).toEqual([]);
});

test("a page that may not use a channel when it is shown again ends with an error", async () => {
  const window = new EventTarget();
  let allowed = true;
  const Channel = new Proxy(BroadcastChannel, {
    construct(target, args) {
      if (allowed) return new target(args[0]);
      throw new Error("no channel any more");
    },
  });
  const ann = openTab(newRoom(), { page: createPageLifecycle(window), BroadcastChannel: Channel });
  await ann.until(is("online"));
  window.dispatchEvent(Object.assign(new Event("pagehide"), { persisted: true }));
  allowed = false;
  window.dispatchEvent(new Event("pageshow"));
  await ann.until(is("ended"));
  expect(ann.recorded.at(-1)).toEqual(["ended", "unsupported"]);
});

test.each(["*", "Us", "", "0".repeat(32)])(
  "%j is refused as a user name, because it is also the alias",
  async (username) => {
    const { until } = openTab(newRoom(), {}, { username, password: "" });
    expect(await until(() => true)).toEqual(["ended", "alias-reserved"]);
  },
);

test("a user may have the name of an object's property", async () => {
  const host = newRoom();
  const ann = openTab(host);
  await ann.until(is("online"));
  openTab(host, {}, { username: "__proto__", password: "" });
  expect(await ann.until(is("userAdd"))).toEqual(["userAdd", "__proto__"]);
});

test("tokens, invitations and platforms without BroadcastChannel are unsupported", async () => {
  expect(await openTab(newRoom(), {}, { token: "t" }).until(() => true)).toEqual(["ended", "unsupported"]);
  expect(await openTab(newRoom(), {}, { invite: "i", password: "p" }).until(() => true)).toEqual([
    "ended",
    "unsupported",
  ]);
  const without = { BroadcastChannel: undefined as never };
  expect(await openTab(newRoom(), without).until(() => true)).toEqual(["ended", "unsupported"]);
});

test("messages of other scripts on the channel are ignored", async () => {
  const host = newRoom();
  const ann = openTab(host);
  await ann.until(is("online"));
  const stranger = new BroadcastChannel(`bonevalue:${host}`);
  for (const noise of [undefined, 7, "hello", { type: "hello" }, { type: "hello", from: "x", username: "Us" }]) {
    stranger.postMessage(noise);
  }
  stranger.postMessage({ type: "hello", from: "f".repeat(32), username: "cyd" });
  expect(await ann.until(([event, alias]) => event === "userAdd" && alias === "cyd")).toBeDefined();
  expect(ann.recorded.filter(is("peerConnect"))).toHaveLength(1);
  stranger.close();
});

test.for([
  ["with locks", {}],
  ["without locks", { locks: undefined, clock: hurried }],
] as const)("rooms whose names begin alike are rooms of their own, %s", async ([, options]) => {
  const host = newRoom();
  for (const other of [`${host}/1`, `${host}/${"0".repeat(32)}`, `${host}"`]) {
    await openTab(other, options, { username: "bob", password: "" }).until(is("online"));
  }
  const [, snapshot] = await openTab(host, options).until(is("online"));
  expect(snapshot).toMatchObject({ peers: [] });
});

test("a user name may contain the characters that separate the parts of a lock's name", async () => {
  const host = newRoom();
  const username = `"a/b"${host}`;
  await openTab(host, {}, { username, password: "" }).until(is("online"));
  const [, snapshot] = await openTab(host).until(is("online"));
  expect(snapshot).toMatchObject({ peers: [{ name: username }] });
});

test("a user name in another Unicode normalization form is the same user", async () => {
  const host = crypto.randomUUID();
  const [first, second, third] = [createEventRecorder(), createEventRecorder(), createEventRecorder()];
  const sessions = [broadcastChannel().open(host, { username: "Zoe\u0308", password: "" }, first.events, { app: "" })];
  await first.until(([name]) => name === "online");
  sessions.push(broadcastChannel().open(host, { username: "Zo\u00eb", password: "" }, second.events, { app: "" }));
  expect(await second.until(([name]) => name === "online")).toMatchObject([
    "online",
    { self: { username: "Zo\u00eb" }, users: [], peers: [{ name: "Us" }] },
  ]);
  sessions.push(broadcastChannel().open(host, { username: "ann", password: "" }, third.events, { app: "" }));
  expect(await third.until(([name]) => name === "online")).toMatchObject(["online", { users: ["Zo\u00eb"] }]);
  await Promise.all(sessions.map((session) => session.close()));
});
