import type { Clock } from "../../clock.ts";
import { BonevalueError } from "../../errors.ts";
import type { Lifetime } from "../lifetime.ts";
import { type Conditions, createPipe, type Pipe } from "./pipe.ts";

// The times after which WebRTC reports an interruption, and a loss.
const interruptedAfterMs = 5_000;
const lostAfterMs = 15_000;

/** One end of a duplex. */
export interface End {
  readonly lifetime: Lifetime;
  /** Sets the pipe that it sends on. */
  attach(out: Pipe): void;
  /** The bytes that wait in its pipe have decreased. */
  departed(): void;
}

/** A pipe in each direction between two ends. */
export interface Duplex {
  /** Interrupts the path. Both ends notice after a while. */
  hold(): void;
  /** Restores the path. */
  release(): void;
  /** `end` has closed. The other end closes after the messages in transit have arrived. */
  close(end: End): void;
}

export interface DuplexOptions {
  readonly ends: readonly [End, End];
  readonly clock: Clock;
  readonly conditions: Conditions;
  random(): number;
}

/** Connects two ends, which open one round trip later. */
export function createDuplex({ ends, clock, conditions, random }: DuplexOptions): Duplex {
  const [first, second] = ends;
  const pipes = new Map<End, Pipe>([
    [first, pipeTo(second, first)],
    [second, pipeTo(first, second)],
  ]);
  let held = false;
  let closed = false;
  let isInterrupted = false;
  let undoTimers = () => {};

  function pipeTo({ lifetime }: End, { departed }: End): Pipe {
    return createPipe({
      clock,
      conditions,
      random,
      departed,
      deliver: (channel, bytes) => lifetime.notify((listener) => listener.message(channel, bytes), bytes.byteLength),
    });
  }

  function open(): void {
    if (held || closed) return;
    for (const end of ends) {
      end.attach(pipes.get(end)!);
      end.lifetime.open();
    }
  }

  function onInterrupted(): void {
    isInterrupted = true;
    const reason = new BonevalueError("disconnected", "Nothing arrives from the peer. The link may recover.");
    for (const { lifetime } of ends) lifetime.notify((listener) => listener.interrupted(reason));
  }

  function onLost(): void {
    const reason = new BonevalueError(
      "disconnected",
      "Nothing has arrived from the peer for 15 s. Call again to redial the peer.",
    );
    for (const { lifetime } of ends) lifetime.end(reason);
  }

  function handshake(): void {
    clock.after(2 * conditions.latency, open);
  }

  handshake();

  return {
    hold() {
      if (held) return;
      held = true;
      for (const pipe of pipes.values()) pipe.hold();
      const undoInterrupted = clock.after(interruptedAfterMs, onInterrupted);
      const undoLost = clock.after(lostAfterMs, onLost);
      undoTimers = () => {
        undoInterrupted();
        undoLost();
      };
    },
    release() {
      // If one end has closed meanwhile, the other loses it anyway.
      if (!held || closed) return;
      held = false;
      undoTimers();
      if (isInterrupted) for (const { lifetime } of ends) lifetime.notify((listener) => listener.restored());
      isInterrupted = false;
      for (const pipe of pipes.values()) pipe.release();
      if (first.lifetime.status === "opening") handshake();
    },
    close(end) {
      closed = true;
      const other = end === first ? second : first;
      if (other.lifetime.status === "over") return undoTimers();
      const reason = new BonevalueError("disconnected", "The peer has closed the link. Call again to redial it.");
      pipes.get(end)!.finish(() => other.lifetime.end(reason));
    },
  };
}
