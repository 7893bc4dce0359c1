import type { Clock } from "../../clock.ts";
import type { Channel } from "../transport.ts";

// A lossy message that waits behind this many bytes of its kind is dropped.
const lossyHighWaterMark = 16_384;

/** What a path is like, each way. */
export interface Conditions {
  /** ms, one way. */
  readonly latency: number;
  /** At most this many ms more, drawn for each message. */
  readonly jitter: number;
  /** Bytes a second. */
  readonly bandwidth: number;
  /** The share of lossy messages that never arrives, 0 to 1. */
  readonly loss: number;
}

/** One direction of a memory link. */
export interface Pipe {
  /** Bytes on control and bulk that have not departed. */
  readonly buffered: number;
  send(channel: Channel, bytes: Uint8Array<ArrayBuffer>): void;
  /** Forgets what has not departed; `arrived` runs behind everything that has. */
  finish(arrived: () => void): void;
  /** Nothing passes until `release`: reliable messages wait, lossy ones are gone. */
  hold(): void;
  release(): void;
}

/** What {@link createPipe} needs. `random`: from 0 to 1. */
export interface PipeOptions {
  readonly clock: Clock;
  readonly conditions: Conditions;
  random(): number;
  deliver(channel: Channel, bytes: Uint8Array<ArrayBuffer>): void;
  /** `buffered` has fallen. */
  departed(): void;
}

interface Message {
  readonly channel: Channel;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What is under way on one reliable channel, in order. `due`: how many of it should have arrived while held. */
interface Queue {
  readonly messages: Message[];
  lastArrival: number;
  due: number;
}

/** A pipe that departs at `bandwidth` and arrives `latency` later, in order on each reliable channel. */
export function createPipe({ clock, conditions, random, deliver, departed }: PipeOptions): Pipe {
  const { latency, jitter, bandwidth, loss } = conditions;
  const roads: Record<"control" | "bulk", Queue> = { control: createRoad(), bulk: createRoad() };
  let queue: Message[] = [];
  let buffered = 0;
  let lossyBuffered = 0;
  let held = false;
  let undoDeparture: (() => void) | undefined;

  function pump(): void {
    const next = queue[0];
    if (!next || held || undoDeparture) return;
    undoDeparture = clock.after((next.bytes.byteLength / bandwidth) * 1_000, depart);
  }

  function depart(): void {
    undoDeparture = undefined;
    // All at once where departing takes no time.
    const leaving = queue.splice(0, bandwidth === Number.POSITIVE_INFINITY ? queue.length : 1);
    for (const message of leaving) {
      count(message, -1);
      if (message.channel === "lossy") travelLossy(message);
      else travel(message, roads[message.channel]);
    }
    departed();
    pump();
  }

  function count({ channel, bytes }: Message, sign: 1 | -1): void {
    if (channel === "lossy") lossyBuffered += sign * bytes.byteLength;
    else buffered += sign * bytes.byteLength;
  }

  const delay = (): number => latency + random() * jitter;

  function travel(message: Message, road: Queue): void {
    road.messages.push(message);
    const now = clock.now();
    road.lastArrival = Math.max(road.lastArrival, now + delay());
    clock.after(road.lastArrival - now, () => arrive(road));
  }

  /** Whatever the order in which the clock rings, the first to depart is the first to arrive. */
  function arrive(road: Queue): void {
    if (held) {
      road.due++;
      return;
    }
    const { channel, bytes } = road.messages.shift()!;
    deliver(channel, bytes);
  }

  function travelLossy({ channel, bytes }: Message): void {
    if (random() < loss) return;
    clock.after(delay(), () => {
      if (!held) deliver(channel, bytes);
    });
  }

  return {
    get buffered() {
      return buffered;
    },
    send(channel, bytes) {
      if (channel === "lossy" && (held || lossyBuffered > lossyHighWaterMark)) return;
      // The sender keeps its bytes, and may change them.
      const message = { channel, bytes: bytes.slice() };
      queue.push(message);
      count(message, 1);
      pump();
    },
    finish(arrived) {
      undoDeparture?.();
      queue = [];
      buffered = lossyBuffered = 0;
      const now = clock.now();
      const last = Math.max(now + latency, roads.control.lastArrival, roads.bulk.lastArrival);
      clock.after(last - now, () => {
        if (!held) arrived();
      });
    },
    hold() {
      held = true;
      undoDeparture?.();
      undoDeparture = undefined;
    },
    release() {
      held = false;
      for (const road of Object.values(roads)) {
        for (; road.due > 0; road.due--) arrive(road);
      }
      pump();
    },
  };
}

function createRoad(): Queue {
  return { messages: [], lastArrival: 0, due: 0 };
}
