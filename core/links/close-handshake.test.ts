import { expect, test } from "vitest";
import { type CloseState, type CloseTransition, initialCloseState, offer, readStep } from "./close-handshake.ts";

// Every interleaving of two sides with two calls and two offers each, over two ordered channels each way.

type ChannelName = "control" | "bulk";
type Queues = Record<ChannelName, readonly string[]>;

interface Side {
  readonly closing: CloseState;
  /** Own calls without an answer yet, others' calls to answer, calls held back. */
  readonly waiting: number;
  readonly toAnswer: number;
  readonly held: number;
  readonly closed: boolean;
  readonly callsLeft: number;
  readonly offersLeft: number;
}

interface World {
  readonly sides: readonly [Side, Side];
  /** `sent[0]` is under way from side 0 to side 1. */
  readonly sent: readonly [Queues, Queues];
}

const steps = ["offer", "accept", "decline"];
const channels: readonly ChannelName[] = ["control", "bulk"];
const start: Side = {
  closing: initialCloseState,
  waiting: 0,
  toAnswer: 0,
  held: 0,
  closed: false,
  callsLeft: 2,
  offersLeft: 2,
};

test("no call is lost and no side is stuck, whatever calls and offers cross", () => {
  const seen = new Set<string>();
  const queue: World[] = [{ sides: [start, start], sent: [empty(), empty()] }];
  const faults = new Map<string, World>();
  let closes = 0;
  for (let world = queue.pop(); world; world = queue.pop()) {
    const key = JSON.stringify(world);
    if (seen.has(key)) continue;
    seen.add(key);
    const next = successors(world, (fault) => faults.set(fault, world as World));
    closes += next.filter(({ sides }) => sides[0].closed).length;
    if (next.length === 0) checkEnd(world, (fault) => faults.set(fault, world as World));
    queue.push(...next);
  }
  expect(Object.fromEntries(faults)).toEqual({});
  expect(closes).toBeGreaterThan(0);
  // As many states as a separate model of this handshake has.
  expect(seen.size).toBe(20_926);
});

function empty(): Queues {
  return { control: [], bulk: [] };
}

function isIdle(side: Side): boolean {
  return side.waiting === 0 && side.toAnswer === 0 && side.held === 0;
}

function replace<T>(pair: readonly [T, T], index: 0 | 1, value: T): readonly [T, T] {
  return index === 0 ? [value, pair[1]] : [pair[0], value];
}

function send(world: World, from: 0 | 1, channel: ChannelName, message: string): World {
  const queues = world.sent[from];
  return { ...world, sent: replace(world.sent, from, { ...queues, [channel]: [...queues[channel], message] }) };
}

function update(world: World, index: 0 | 1, change: Partial<Side>): World {
  return { ...world, sides: replace(world.sides, index, { ...world.sides[index], ...change }) };
}

function successors(world: World, fault: (name: string) => void): World[] {
  return ([0, 1] as const).flatMap((index) =>
    world.sides[index].closed ? [] : [...actions(world, index, fault), ...deliveries(world, index, fault)],
  );
}

function actions(world: World, index: 0 | 1, fault: (name: string) => void): World[] {
  const side = world.sides[index];
  const next: World[] = [];
  if (side.callsLeft > 0) {
    const called = update(world, index, { callsLeft: side.callsLeft - 1 });
    const holds = side.closing.offering || side.closing.accepted;
    if (holds) next.push(update(called, index, { held: side.held + 1 }));
    else
      for (const on of channels)
        next.push(send(update(called, index, { waiting: side.waiting + 1 }), index, on, "call"));
  }
  if (side.toAnswer > 0) {
    if (side.closing.accepted) fault("an answer after accept");
    for (const on of channels)
      next.push(send(update(world, index, { toAnswer: side.toAnswer - 1 }), index, on, "answer"));
  }
  if (side.offersLeft > 0 && isIdle(side) && !side.closing.offering && !side.closing.accepted) {
    next.push(perform(update(world, index, { offersLeft: side.offersLeft - 1 }), index, offer(side.closing), fault));
  }
  return next;
}

function deliveries(world: World, index: 0 | 1, fault: (name: string) => void): World[] {
  const from = index === 0 ? 1 : 0;
  return channels.flatMap((channel) => {
    const [message, ...rest] = world.sent[from][channel];
    if (message === undefined) return [];
    const taken = { ...world, sent: replace(world.sent, from, { ...world.sent[from], [channel]: rest }) };
    return [read(taken, index, message, channel, fault)];
  });
}

function read(world: World, index: 0 | 1, message: string, channel: ChannelName, fault: (name: string) => void): World {
  const side = world.sides[index];
  if (message === "call") {
    if (side.closing.accepted) fault("a call read after accept");
    return update(world, index, { toAnswer: side.toAnswer + 1 });
  }
  if (message === "answer") return update(world, index, { waiting: side.waiting - 1 });
  return perform(world, index, readStep(side.closing, steps.indexOf(message), channel, isIdle(side)), fault);
}

function perform(world: World, index: 0 | 1, move: CloseTransition, fault: (name: string) => void): World {
  let next = update(world, index, { closing: move.state });
  for (const on of move.send?.channels ?? []) next = send(next, index, on, steps[move.send?.step ?? -1] as string);
  if (move.outcome === "close") {
    if (next.sides.some((side) => side.waiting > 0 || side.toAnswer > 0)) fault("closed with calls in progress");
    const underWay = next.sent.flatMap(({ control, bulk }) => [...control, ...bulk]);
    if (underWay.includes("call") || underWay.includes("answer")) fault("closed with a call or an answer under way");
    return update(update(next, 0, { closed: true }), 1, { closed: true });
  }
  if (move.outcome === "release") {
    const { held, waiting } = next.sides[index];
    next = update(next, index, { held: 0, waiting: waiting + held });
    for (let call = 0; call < held; call++) next = send(next, index, "control", "call");
  }
  return next;
}

function checkEnd(world: World, fault: (name: string) => void): void {
  for (const side of world.sides) {
    if (side.closed) continue;
    if (side.held > 0 || side.waiting > 0) fault("a call is stuck");
    if (side.closing.accepted) fault("accepted, but never closed");
  }
}
