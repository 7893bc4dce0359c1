import { expect, test } from "vitest";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { broadcastChannel } from "./broadcast-channel.ts";
import type { Snapshot } from "./discovery.ts";
import { discoveryConformance } from "./testing/conformance.ts";
import { createEventRecorder } from "./testing/event-recorder.ts";

let rooms = 0;
const newRoom = () => `browser room ${++rooms}`;

discoveryConformance("broadcast-channel, in a browser", {
  hasServer: false,
  start() {
    const host = newRoom();
    return {
      host,
      discovery: () => broadcastChannel(),
      credentials: (username) => ({ username, password: "" }),
      close() {},
    };
  },
});

async function openKillableTab(host: string) {
  const worker = new Worker(new URL("./broadcast-channel/testing/tab-worker.ts", import.meta.url), { type: "module" });
  const online = new Promise<Snapshot>((resolve) => {
    worker.addEventListener("message", ({ data }) => resolve(data));
  });
  worker.postMessage(host);
  return { id: (await online).self.id, kill: () => worker.terminate() };
}

test("with locks, a killed tab is gone for certain", async () => {
  const host = newRoom();
  const { events, until } = createEventRecorder();
  const session = broadcastChannel().open(host, { username: "ann", password: "" }, events, { app: "" });
  await until(([event]) => event === "online");
  const bob = await openKillableTab(host);
  await until(([event]) => event === "peerConnect");
  bob.kill();
  expect(await until(([event]) => event === "peerDisconnect")).toEqual(["peerDisconnect", bob.id, false]);
  await session.close();
});

test("with locks, a tab that has left is not listed while another one is told", async () => {
  const host = newRoom();
  const name = `${JSON.stringify(`bonevalue:${host}`)}${"b0".repeat(16)}bob`;
  const { promise: ended, resolve: endCallback } = Promise.withResolvers<void>();
  await new Promise<void>((watching) => {
    navigator.locks.request(name, { mode: "shared" }, () => {
      watching();
      return ended;
    });
  });
  const { events, until } = createEventRecorder();
  const session = broadcastChannel().open(host, { username: "ann", password: "" }, events, { app: "" });
  expect(await until(([event]) => event === "online")).toMatchObject(["online", { users: [], peers: [] }]);
  endCallback();
  await session.close();
});

test("without locks, a killed tab is lost when it no longer answers", async () => {
  const host = newRoom();
  const clock = createVirtualClock();
  const { events, until } = createEventRecorder();
  const session = broadcastChannel({ locks: undefined, clock }).open(host, { username: "ann", password: "" }, events, {
    app: "",
  });
  await clock.advance(200);
  const bob = await openKillableTab(host);
  await until(([event]) => event === "peerConnect");
  bob.kill();
  await clock.advance(60_000);
  expect(await until(([event]) => event === "peerDisconnect")).toEqual(["peerDisconnect", bob.id, true]);
  await session.close();
});
