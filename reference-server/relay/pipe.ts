import type { WebSocket } from "ws";
import { closeCode } from "../../core/protocol/close-code.ts";
import { pingIntervalMs } from "../../core/protocol/limits.ts";
import type { Clock } from "../clock.ts";
import { closeSocket } from "../close-socket.ts";
import { startHeartbeat } from "../heartbeat.ts";
import type { RelayLimits } from "./limits.ts";

// A pipe passes messages between two sockets. It holds the bytes that it has read from one and the other has not taken. So it
// does not read a socket
//
// - until the other socket has joined,
// - while it holds anything that this socket sent,
// - while the account or room of this socket exceeds its rate.
//
// TCP passes this on to the sender. Any unsent part of a read keeps all of that read in memory: 64 KiB, Node's largest read. One or
// two more reads follow, which Node cannot stop and keeps for us. Each message costs memory of its own, so small ones count as
// `minMessageCost`. A read may consist of thousands of them; no client does that, and a pipe that holds `maxCost` ends.

const minMessageCost = 256;
const maxCost = 512 * 1024;

/** The rate limit of an account or room. `take` returns the ms for which to read nothing more. */
export interface RateLimit {
  take(now: number, bytes: number): number;
}

/** Dependencies of a {@link Pipe}. */
export interface PipeParts {
  readonly clock: Clock;
  readonly limits: Pick<RelayLimits, "ticketAge" | "partnerTimeout" | "idleTimeout">;
  /** The rate limit of each side. */
  readonly rates: readonly [RateLimit, RateLimit];
  readonly onBytes: (bytes: number) => void;
  /** Called once. `complete`: both sides had joined. */
  readonly onClosed: (complete: boolean) => void;
}

/** The side of the caller, or of the callee. */
export type SideIndex = 0 | 1;

/** Passes messages between two sockets, and holds a bounded number of bytes. */
export interface Pipe {
  /** Both sides have joined. */
  readonly complete: boolean;
  /** Adds the socket of a side. Called at most once for each, and not after `close`. */
  attach(index: SideIndex, socket: WebSocket): void;
  /** Closes both sockets. Idempotent. */
  close(code: number, reason: string): void;
}

interface Side {
  readonly rate: RateLimit;
  socket: WebSocket | undefined;
  /** The cost of the bytes from this side that are still in memory. */
  held: number;
  /** Deliveries of messages that were read before the other side joined. */
  early: (() => void)[];
  isThrottled: boolean;
  stopThrottle: () => void;
}

/** Creates a pipe, which waits for its sides. */
export function createPipe({ clock, limits, rates, onBytes, onClosed }: PipeParts): Pipe {
  const sides: readonly [Side, Side] = [createSide(rates[0]), createSide(rates[1])];
  const undos = [clock.after(limits.ticketAge, onPartnerTimeout)];
  let lastMessage = clock.now();
  let complete = false;
  let closed = false;

  function onPartnerTimeout(): void {
    close(closeCode.timedOut, "The other side did not come in time.");
  }

  function start(): void {
    complete = true;
    stopTimers();
    lastMessage = clock.now();
    const { idleTimeout } = limits;
    undos.push(
      startHeartbeat({
        clock,
        limits: { pingEvery: pingIntervalMs, idleTimeout },
        lastHeard: () => lastMessage,
        // Proxies close a connection in which nothing moves.
        beat: () => {
          for (const { socket } of sides) socket?.ping();
        },
        silent: () => close(closeCode.timedOut, `Nothing was sent for ${idleTimeout / 1_000} s.`),
      }),
    );
    for (const side of sides) for (const deliver of side.early.splice(0)) deliver();
    sides.forEach(steer);
  }

  function onMessage(side: Side, bytes: Buffer, binary: boolean): void {
    if (!binary) close(closeCode.protocol, "After its ticket, a side sends binary messages only.");
    lastMessage = clock.now();
    hold(side, bytes.length, (onSent) => {
      const deliver = () => {
        onBytes(bytes.length);
        otherThan(side).socket?.send(bytes, onSent);
      };
      if (complete) deliver();
      else side.early.push(deliver);
    });
  }

  /** Calls `send`, and counts the bytes for this side until they are sent. */
  function hold(side: Side, bytes: number, send: (onSent: () => void) => void): void {
    if (closed) return;
    const cost = Math.max(bytes, minMessageCost);
    side.held += cost;
    send(() => {
      side.held -= cost;
      steer(side);
    });
    const wait = side.rate.take(clock.now(), cost);
    if (wait > 0) throttle(side, wait);
    steer(side);
    if (side.held > maxCost) close(closeCode.overloaded, "Too many small messages were sent at once.");
  }

  function throttle(side: Side, wait: number): void {
    side.stopThrottle();
    side.isThrottled = true;
    side.stopThrottle = clock.after(wait, () => {
      side.isThrottled = false;
      steer(side);
    });
  }

  /** Reads a side, or stops reading it. */
  function steer(side: Side): void {
    const { socket } = side;
    const mayRead = closed || (complete && !side.isThrottled && side.held === 0);
    if (socket === undefined || mayRead !== socket.isPaused) return;
    if (mayRead) socket.resume();
    else socket.pause();
  }

  function otherThan(side: Side): Side {
    return side === sides[0] ? sides[1] : sides[0];
  }

  function stopTimers(): void {
    for (const stop of undos.splice(0)) stop();
  }

  function close(code: number, reason: string): void {
    if (closed) return;
    closed = true;
    stopTimers();
    for (const side of sides) {
      side.stopThrottle();
      side.early = [];
      if (side.socket) closeSocket(side.socket, clock, code, reason);
      // To read the answer to the close frame.
      steer(side);
    }
    onClosed(complete);
  }

  return {
    get complete() {
      return complete;
    },
    attach(index, socket) {
      const side = sides[index];
      const onGone = () => close(closeCode.goingAway, "The other side has gone.");
      side.socket = socket;
      socket.on("message", (bytes: Buffer, binary: boolean) => onMessage(side, bytes, binary));
      socket.on("ping", (bytes) => hold(side, bytes.length, (onSent) => socket.pong(bytes, false, onSent)));
      socket.on("close", onGone).on("error", onGone);
      if (otherThan(side).socket) start();
      else undos.push(clock.after(limits.partnerTimeout, onPartnerTimeout));
      steer(side);
    },
    close,
  };
}

function createSide(rate: RateLimit): Side {
  return { rate, socket: undefined, held: 0, early: [], isThrottled: false, stopThrottle: () => {} };
}
