import type { Clock } from "../../clock.ts";
import type { Channel } from "../transport.ts";

// A lossy message behind this many lossy bytes is dropped.
const lossyHighWaterMark = 16_384;

/** The conditions of each direction of a path. */
export interface Conditions {
  /** In ms. */
  readonly latency: number;
  /** The largest random delay of a message in addition, in ms. */
  readonly jitter: number;
  /** In bytes per second. */
  readonly bandwidth: number;
  /** The share of lossy messages that never arrive, from 0 to 1. */
  readonly loss: number;
}

/** One direction of a memory link. */
export interface Pipe {
  /** The bytes on control and bulk that have not left. */
  readonly buffered: number;
  send(channel: Channel, bytes: Uint8Array<ArrayBuffer>): void;
  /** Drops the messages that have not left. Calls `arrived` after the others have arrived. */
  finish(arrived: () => void): void;
  /** Stops the transmission until `release`: reliable messages wait, lossy ones are dropped. */
  hold(): void;
  release(): void;
}

export interface PipeOptions {
  readonly clock: Clock;
  readonly conditions: Conditions;
  random(): number;
  deliver(channel: Channel, bytes: Uint8Array<ArrayBuffer>): void;
  /** `buffered` has decreased. */
  departed(): void;
}

interface Message {
  readonly channel: Channel;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The messages in transit on one reliable channel. `due` counts the messages that should have arrived while stopped. */
interface Transit {
  readonly messages: Message[];
  lastArrival: number;
  due: number;
}

/** Creates a pipe that sends at `bandwidth` and delivers `latency` later, in order on each reliable channel. */
export function createPipe({ clock, conditions, random, deliver, departed }: PipeOptions): Pipe {
  const { latency, jitter, bandwidth, loss } = conditions;
  const transits: Record<"control" | "bulk", Transit> = { control: createTransit(), bulk: createTransit() };
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
    // All at once if the bandwidth is unlimited.
    const leaving = queue.splice(0, bandwidth === Number.POSITIVE_INFINITY ? queue.length : 1);
    for (const message of leaving) {
      count(message, -1);
      if (message.channel === "lossy") travelLossy(message);
      else travel(message, transits[message.channel]);
    }
    departed();
    pump();
  }

  function count({ channel, bytes }: Message, sign: 1 | -1): void {
    if (channel === "lossy") lossyBuffered += sign * bytes.byteLength;
    else buffered += sign * bytes.byteLength;
  }

  const delay = (): number => latency + random() * jitter;

  function travel(message: Message, transit: Transit): void {
    transit.messages.push(message);
    const now = clock.now();
    transit.lastArrival = Math.max(transit.lastArrival, now + delay());
    clock.after(transit.lastArrival - now, () => arrive(transit));
  }

  /** Delivers in the order of sending, regardless of the order of the timers. */
  function arrive(transit: Transit): void {
    if (held) {
      transit.due++;
      return;
    }
    const { channel, bytes } = transit.messages.shift()!;
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
      // The sender may reuse its bytes.
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
      const last = Math.max(now + latency, transits.control.lastArrival, transits.bulk.lastArrival);
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
      for (const transit of Object.values(transits)) {
        for (; transit.due > 0; transit.due--) arrive(transit);
      }
      pump();
    },
  };
}

function createTransit(): Transit {
  return { messages: [], lastArrival: 0, due: 0 };
}
