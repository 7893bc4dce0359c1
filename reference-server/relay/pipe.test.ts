import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import type { WebSocket } from "ws";
import { virtualClock } from "../testing/virtual-clock.ts";
import { defaultRelayLimits } from "./limits.ts";
import { createPipe } from "./pipe.ts";

/** A socket that takes what was sent to it when the test says so. */
function slowSocket() {
  const unsent: (() => void)[] = [];
  const socket = Object.assign(new EventEmitter(), {
    isPaused: false,
    closedWith: [] as unknown[],
    pause: () => {
      socket.isPaused = true;
    },
    resume: () => {
      socket.isPaused = false;
    },
    send: (_: Buffer, onSent: () => void) => unsent.push(onSent),
    pong: (_: Buffer, __: boolean, onSent: () => void) => unsent.push(onSent),
    close: (...args: unknown[]) => void socket.closedWith.push(...args),
    terminate: () => {},
    /** Takes this many messages, by default all. */
    take: (count: number = unsent.length) => {
      for (const onSent of unsent.splice(0, count)) onSent();
    },
    receive: (size: number) => socket.emit("message", Buffer.alloc(size), true),
  });
  return socket;
}

function connected() {
  const rate = { take: () => 0 };
  const pipe = createPipe({
    ...{ clock: virtualClock(), limits: defaultRelayLimits, rates: [rate, rate] as const },
    onBytes: () => {},
    onClosed: () => {},
  });
  const [a, b] = [slowSocket(), slowSocket()];
  pipe.attach(0, a as unknown as WebSocket);
  expect(a.isPaused).toBe(true);
  pipe.attach(1, b as unknown as WebSocket);
  expect(a.isPaused).toBe(false);
  return { a, b };
}

test("a side is not read from while the other one has anything unsent", () => {
  const { a, b } = connected();
  a.receive(1);
  a.receive(1);
  expect(a.isPaused).toBe(true);
  expect(b.isPaused).toBe(false);
  b.take(1);
  expect(a.isPaused).toBe(true);
  b.take();
  expect(a.isPaused).toBe(false);
});

test("a side is not read from while its pings are unanswered", () => {
  const { a } = connected();
  a.emit("ping", Buffer.alloc(0));
  expect(a.isPaused).toBe(true);
  a.take();
  expect(a.isPaused).toBe(false);
});

test("thousands of small messages and pings in one read end the pipe", () => {
  const { a, b } = connected();
  for (let n = 0; n < 1_024; n++) a.receive(0);
  for (let n = 0; n < 1_024; n++) a.emit("ping", Buffer.alloc(0));
  expect(a.closedWith).toEqual([]);
  a.receive(0);
  const closed = [1013, "Too many small messages were sent at once."];
  expect([a.closedWith, b.closedWith]).toEqual([closed, closed]);
  expect(a.isPaused).toBe(false);
});
