import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import type { WebSocket } from "ws";
import type { Bans } from "./bans.ts";
import { type ConnectionParts, openConnection } from "./connection.ts";
import type { Member, SignInLists } from "./group-sessions.ts";
import { defaultLimits } from "./limits.ts";
import { defaultLog } from "./log.ts";
import { createMetrics } from "./metrics.ts";
import type { Presence } from "./presence.ts";
import { virtualClock } from "./testing/virtual-clock.ts";

const mebibyte = 1024 * 1024;

/** A socket whose other end reads when the test calls it. */
function slowSocket() {
  const socket = Object.assign(new EventEmitter(), {
    OPEN: 1,
    readyState: 1,
    bufferedAmount: 0,
    closedWith: undefined as number | undefined,
    terminated: false,
    send: (frame: string) => {
      socket.bufferedAmount += Buffer.byteLength(frame);
    },
    close: (code: number) => {
      socket.closedWith = code;
    },
    terminate: () => {
      socket.terminated = true;
    },
    pause: () => {},
    resume: () => {},
  });
  return socket;
}

/** Opens a connection that has signed in, with first lists of `size` bytes unsent. */
async function signedIn(size: number) {
  const socket = slowSocket();
  const clock = virtualClock();
  let member: Member | undefined;
  const lists: SignInLists = { resumed: false, users: ["x".repeat(size)], peers: [] };
  const presence = {
    others: () => 0,
    join: async (entering: Member) => {
      member = entering;
      entering.sendLists(lists);
      return true;
    },
    lose: () => {},
  } as Partial<Presence>;
  const parts = {
    ...{ clock, presence, limits: defaultLimits, log: defaultLog("silent"), ice: [] },
    metrics: createMetrics({ sockets: () => 0, online: () => 0, pipes: () => 0 }),
    bans: { check: () => {} } as Partial<Bans> as Bans,
    seen: { touch: () => {}, close: async () => {} },
    signIn: async () => ({
      ...{ app: "", group: "a::ann", user: "ann", name: undefined, room: undefined },
      ...{ id: "p", session: "s", isNew: false, expires: undefined },
    }),
  } as Partial<ConnectionParts> as ConnectionParts;
  openConnection(socket as unknown as WebSocket, { address: "127.0.0.1", origin: undefined }, parts, () => {});
  const entered = new Promise((resolve) => setImmediate(resolve));
  socket.emit("message", Buffer.from('{"type":"authenticate","data":{"version":1,"session":"s"}}'), false);
  await entered;
  return { socket, clock, member: member! };
}

test("first lists may have any size, and 1 MiB more may be unsent", async () => {
  const { socket, member } = await signedIn(3 * mebibyte);
  expect(socket.bufferedAmount).toBeGreaterThan(3 * mebibyte);
  member.send("x".repeat(mebibyte));
  expect(socket.closedWith).toBeUndefined();
  member.send("x");
  expect(socket.closedWith).toBe(1013);
});

test("when the first lists have been sent, at most 1 MiB may be unsent", async () => {
  const { socket, member } = await signedIn(3 * mebibyte);
  socket.bufferedAmount = 0;
  member.send("x".repeat(mebibyte));
  expect(socket.closedWith).toBeUndefined();
  member.send("x");
  expect(socket.closedWith).toBe(1013);
});

test("a socket that does not answer our close frame is terminated within a second", async () => {
  const { socket, clock, member } = await signedIn(0);
  member.send("x".repeat(mebibyte + 1));
  expect(socket.terminated).toBe(false);
  clock.advance(1_000);
  expect(socket.terminated).toBe(true);
});

test("nothing is sent after a close", async () => {
  const { socket, member } = await signedIn(0);
  member.end("superseded");
  const sent = socket.bufferedAmount;
  member.send("late");
  expect([socket.bufferedAmount, socket.closedWith]).toEqual([sent, 4002]);
});
