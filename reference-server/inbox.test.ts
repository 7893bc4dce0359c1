import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import type { WebSocket } from "ws";
import { createInbox } from "./inbox.ts";
import { virtualClock } from "./testing/virtual-clock.ts";

/** An inbox that reads one frame a second, and the frames that it has read. */
function slowInbox() {
  const socket = Object.assign(new EventEmitter(), { pause() {}, resume() {} });
  const clock = virtualClock();
  const read: string[] = [];
  const inbox = createInbox(socket as unknown as WebSocket, clock, { frameRate: 1, frameBurst: 1 }, (bytes) => {
    read.push(String(bytes));
    return undefined;
  });
  return { clock, inbox, read, say: (text: string) => socket.emit("message", Buffer.from(text), false) };
}

/** Advances the clock by a second and runs what is due. */
async function second({ clock }: ReturnType<typeof slowInbox>): Promise<void> {
  clock.advance(1_000);
  await new Promise(setImmediate);
}

test("frames that arrive too fast are read one by one", async () => {
  const slow = slowInbox();
  for (const text of ["one", "two", "three"]) slow.say(text);
  expect(slow.read).toEqual(["one"]);
  await second(slow);
  expect(slow.read).toEqual(["one", "two"]);
  await second(slow);
  expect(slow.read).toEqual(["one", "two", "three"]);
});

test("frames of a closed socket are neither read nor kept", async () => {
  const slow = slowInbox();
  for (const text of ["one", "two", "three"]) slow.say(text);
  slow.inbox.stop();
  await second(slow);
  await second(slow);
  expect(slow.read).toEqual(["one"]);
});
