import { expect, test } from "vitest";
import type { BonevalueError } from "../../errors.ts";
import { createVirtualClock } from "../../testing/virtual-clock.ts";
import { monitorConnection } from "./connection-monitor.ts";

/** A connection whose state a test sets, and what is told of it. */
function patient({ open = true } = {}) {
  const clock = createVirtualClock();
  const log: string[] = [];
  const pc = { connectionState: "new", onconnectionstatechange: null as (() => void) | null };
  const platform = new EventTarget();
  const events = {
    isOpen: () => open,
    working: () => log.push("working"),
    failed: () => log.push("failed"),
    interrupted: () => log.push("interrupted"),
    restored: () => log.push("restored"),
    restart: () => log.push("restart"),
    lost: ({ code }: BonevalueError) => log.push(`lost: ${code}`),
  };
  const release = monitorConnection(pc as unknown as RTCPeerConnection, clock, events, platform);
  return {
    clock,
    log,
    pc,
    release,
    comeOnline: () => platform.dispatchEvent(new Event("online")),
    become(state: RTCPeerConnectionState) {
      pc.connectionState = state;
      pc.onconnectionstatechange?.();
    },
  };
}

test("a link that never has a path fails", () => {
  const { log, become } = patient({ open: false });
  for (const state of ["connecting", "disconnected", "failed"] as const) become(state);
  expect(log).toEqual(["failed"]);
});

test("an interruption is reported at once and starts an ICE restart; a restored path ends it", async () => {
  const { clock, log, become } = patient();
  become("connected");
  become("disconnected");
  expect(log).toEqual(["working", "interrupted", "restart"]);
  await clock.advance(1_000);
  become("connected");
  await clock.advance(60_000);
  expect(log).toEqual(["working", "interrupted", "restart", "working", "restored"]);
});

test("an interruption of 10 s ends the link, in every state of the platform", async () => {
  const { clock, log, become } = patient();
  become("disconnected");
  await clock.advance(5_000);
  become("failed");
  await clock.advance(5_000);
  expect(log).toEqual(["interrupted", "restart", "lost: disconnected"]);
});

test("a page that is online again restarts ICE at once if the link is open", async () => {
  const open = patient();
  open.comeOnline();
  await open.clock.advance(1_000);
  expect(open.log).toEqual(["restart"]);
  const opening = patient({ open: false });
  opening.comeOnline();
  await opening.clock.advance(1_000);
  expect(opening.log).toEqual([]);
});

test("the restart waits until WebRTC knows the network, and happens once for several changes", async () => {
  const { clock, log, comeOnline } = patient();
  comeOnline();
  await clock.advance(550);
  expect(log).toEqual([]);
  comeOnline();
  await clock.advance(550);
  expect(log).toEqual([]);
  await clock.advance(60_000);
  expect(log).toEqual(["restart"]);
});

test("a connection that the peer has closed is lost at once", () => {
  const { log, become } = patient();
  become("closed");
  expect(log).toEqual(["lost: disconnected"]);
});

test("after release nothing is called and no timer remains", async () => {
  const { clock, log, pc, release, become, comeOnline } = patient();
  become("disconnected");
  comeOnline();
  release();
  comeOnline();
  expect([clock.waiting, pc.onconnectionstatechange]).toEqual([0, null]);
  expect(log).toEqual(["interrupted", "restart"]);
});
