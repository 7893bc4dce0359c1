import type { Clock } from "../../clock.ts";
import { BonevalueError } from "../../errors.ts";
import type { Lifetime } from "../lifetime.ts";
import { type Conditions, createPipe, type Pipe } from "./pipe.ts";

// As long as WebRTC takes to notice, and then to give up.
const noticeAfter = 5_000;
const loseAfter = 15_000;

/** One side of a wire. */
export interface End {
  readonly lifetime: Lifetime;
  /** Where it sends, from now on. */
  attach(out: Pipe): void;
  /** Less waits in its pipe than before. */
  departed(): void;
}

/** The path between two ends that have found each other. */
export interface Wire {
  /** The path breaks: nothing passes, and after a while both ends notice. */
  hold(): void;
  /** The path is whole again. */
  release(): void;
  /** `end` has closed: the other learns of it when all that was under way has arrived. */
  close(end: End): void;
}

/** What {@link createWire} needs. */
export interface WireOptions {
  readonly ends: readonly [End, End];
  readonly clock: Clock;
  readonly conditions: Conditions;
  random(): number;
}

/** Joins two ends, which open a round trip later. */
export function createWire({ ends, clock, conditions, random }: WireOptions): Wire {
  const [first, second] = ends;
  const pipes = new Map<End, Pipe>([
    [first, pipeTo(second, first)],
    [second, pipeTo(first, second)],
  ]);
  let held = false;
  let closed = false;
  let noticed = false;
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

  function notice(): void {
    noticed = true;
    const reason = new BonevalueError("disconnected", "Nothing arrives from the peer; the link may recover.");
    for (const { lifetime } of ends) lifetime.notify((listener) => listener.interrupted(reason));
  }

  function lose(): void {
    const reason = new BonevalueError("disconnected", "Nothing has arrived from the peer for 15 s. Dial it again.");
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
      const undoNotice = clock.after(noticeAfter, notice);
      const undoLoss = clock.after(loseAfter, lose);
      undoTimers = () => {
        undoNotice();
        undoLoss();
      };
    },
    release() {
      // An end that closed meanwhile never answers again, so that the other loses it all the same.
      if (!held || closed) return;
      held = false;
      undoTimers();
      if (noticed) for (const { lifetime } of ends) lifetime.notify((listener) => listener.restored());
      noticed = false;
      for (const pipe of pipes.values()) pipe.release();
      if (first.lifetime.status === "opening") handshake();
    },
    close(end) {
      closed = true;
      const other = end === first ? second : first;
      if (other.lifetime.status === "over") return undoTimers();
      const reason = new BonevalueError("disconnected", "The other side has closed the link.");
      pipes.get(end)!.finish(() => other.lifetime.end(reason));
    },
  };
}
