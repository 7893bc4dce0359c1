import { BonevalueError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Pool } from "../links/pool.ts";
import type { Peer } from "../peer.ts";
import { type Packed, pack, type Received, unpackValue } from "../wire/codec.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Module } from "./module.ts";
import { collectReplies, type Outcome, type Replies } from "./replies.ts";
import type { Rpc } from "./rpc.ts";
import { thrownError } from "./thrown-error.ts";
import { validate } from "./validate.ts";

/** How one call is made. */
export interface CallOptions {
  /** Longest wait for a reply since the call, in ms. Travels with the request. `Infinity`: none. Default 30 000. */
  timeout?: number | undefined;
  /** Cancels. Already aborted: nothing is sent. */
  signal?: AbortSignal | undefined;
  /** Keep the link open for `idleTimeout` after the reply, or only for a moment. Default: the client's. */
  keepAlive?: boolean | undefined;
}

/** What calls need of their client. */
export interface Calling {
  readonly pool: Pool<Rpc>;
  readonly deadlines: Deadlines;
  readonly limits: Limits;
  /** The clock's time. */
  now(): number;
  /** For how long a link is kept after a reply, in ms. */
  linger(keepAlive: boolean | undefined): number;
  /** Why `peer` cannot be called now, if it cannot. */
  refusal(peer: Peer): BonevalueError | undefined;
  /** Why there is nobody to call. */
  nobody(): BonevalueError;
}

const defaultTimeout = 30_000;

/** Asks each of `targets`, and collects one reply from each. */
export function call(
  { pool, deadlines, limits, now, linger, refusal, nobody }: Calling,
  targets: readonly Peer[],
  module: Module,
  request: unknown,
  { timeout = defaultTimeout, signal, keepAlive }: CallOptions = {},
): Replies<any> {
  const deadline = now() + timeout;
  const stops = new Map<Peer, (code: string) => void>();
  let unsendable: BonevalueError | undefined;
  const collector = collectReplies(targets, stop, done, () => unsendable ?? nobody());
  let undoDeadline: (() => void) | undefined;

  function stop(peer: Peer, { code }: BonevalueError): void {
    stops.get(peer)?.(code);
  }

  function done(): void {
    undoDeadline?.();
    signal?.removeEventListener("abort", cancel);
  }

  function cancel(): void {
    collector.replies.cancel(signal?.reason);
  }

  function askOrRefuse(peer: Peer, packed: Packed): void {
    const error = refusal(peer);
    if (error) collector.settle(peer, { error });
    else ask(peer, packed);
  }

  function ask(peer: Peer, packed: Packed): void {
    const undo = pool.start(peer.id, {
      begin({ service, use }) {
        use(linger(keepAlive));
        const settle = (outcome: Outcome) => {
          use(linger(keepAlive));
          collector.settle(peer, outcome);
        };
        const giveUp = service.call({
          module: module.name,
          request: packed,
          remaining: () => (timeout === Number.POSITIVE_INFINITY ? null : Math.max(0, Math.round(deadline - now()))),
          answered: (value) => read(value, module, settle),
          failed: (error, data) => settle({ error: data ? withData(error, data) : error }),
        });
        stops.set(peer, giveUp);
      },
      fail: (error) => collector.settle(peer, { error }),
    });
    if (!stops.has(peer)) stops.set(peer, undo);
  }

  try {
    const packed = pack(request, {
      name: "request",
      code: "invalid-request",
      depth: limits.depth,
      size: limits.messageSize,
    });
    if (signal?.aborted) cancel();
    else for (const peer of targets) askOrRefuse(peer, packed);
  } catch (error) {
    unsendable = thrownError(error);
    collector.settleRest(unsendable);
  }
  if (collector.pending > 0) {
    signal?.addEventListener("abort", cancel, { once: true });
    undoDeadline = deadlines.after(timeout, () => collector.settleRest(tooLate(timeout)));
  }
  return collector.replies;
}

/** Throws, too, where the value is malformed: that is the link's end. */
function read(packed: Received, module: Module, settle: (outcome: Outcome) => void): void {
  const refuse = (error: unknown) => settle({ error: thrownError(error) });
  let value: unknown;
  try {
    value = unpackValue(packed);
  } catch (error) {
    refuse(error);
    throw error;
  }
  try {
    const response = validate(module.response, value, "invalid-response");
    if (response instanceof Promise) response.then((awaited) => settle({ value: awaited }), refuse);
    else settle({ value: response });
  } catch (error) {
    refuse(error);
  }
}

function withData({ code, message }: BonevalueError, data: Received): BonevalueError {
  return new BonevalueError(code, message, { data: unpackValue(data) });
}

function tooLate(timeout: number): BonevalueError {
  return new BonevalueError("timeout", `No reply within ${timeout} ms; ask for less, or give the call more time.`);
}
