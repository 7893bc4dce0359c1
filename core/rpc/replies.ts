import { BonevalueError } from "../errors.ts";
import { lazyProperty } from "../lazy-property.ts";
import type { Peer } from "../peer.ts";
import { createLive, type Live, set } from "../reactive.ts";

/** The reply of one peer. */
export type Reply<Response> =
  | {
      /** The peer that replied. */
      readonly peer: Peer;
      /** The peer has answered. */
      readonly status: "fulfilled";
      /** What its handler returned, validated. */
      readonly value: Response;
      /** There is none. */
      readonly error?: undefined;
    }
  | {
      /** The peer that was called. */
      readonly peer: Peer;
      /** There is no answer. */
      readonly status: "rejected";
      /** Why there is none. */
      readonly error: BonevalueError;
      /** There is none. */
      readonly value?: undefined;
    };

/** The replies to a call so far. */
export interface RepliesState<Response> {
  /** The number of called peers. */
  readonly targets: number;
  /** The number of peers that have not replied. */
  readonly pending: number;
  /** The replies so far, in order of arrival. */
  readonly replies: readonly Reply<Response>[];
}

/**
 * The replies to one call, in order of arrival: exactly one for each peer that the query matched when the call was made.
 * The request is sent at once, even if the replies are not read. Every iterator gets all replies from the first. Leaving a
 * `for await` early cancels the calls that have no reply yet, but no stream that has arrived. Not a promise, on purpose.
 */
export interface Replies<Response> extends AsyncIterable<Reply<Response>> {
  /**
   * The first fulfilled value; cancels the other calls. Rejects with `no-peers`, with the error of the only peer, or with
   * `all-failed`, whose `data` has the replies.
   */
  first(): Promise<Response>;
  /** All replies; `[]` when the query matched no peer. Never rejects because of a peer. */
  all(): Promise<readonly Reply<Response>[]>;
  /** Ends the calls that have no reply yet with `cancelled`, on both sides. The reason becomes the error's cause. */
  cancel(reason?: unknown): void;
  /** The replies so far and the number of pending ones, as a live value. */
  readonly state: Live<RepliesState<Response>>;
}

const withState = lazyProperty("state");

/** The result of one peer's call. */
export type Outcome = { readonly value: unknown } | { readonly error: BonevalueError };

/** The side of {@link Replies} that the call fills. */
export interface Collector {
  readonly replies: Replies<any>;
  /** How many peers have not replied yet. */
  pending(): number;
  /** Adds the reply of `peer`. Only the first counts. */
  settle(peer: Peer, outcome: Outcome): void;
  /** Adds this error as the reply of every pending peer. */
  settleRest(error: BonevalueError): void;
}

/**
 * Collects one reply from each of `targets`. Calls `stop` for each peer that is cancelled before it replied, and `done`
 * once when no peer is pending. `first` rejects with `noPeersError` when there are no targets.
 */
export function collectReplies(
  targets: readonly Peer[],
  stop: (peer: Peer, error: BonevalueError) => void,
  done: () => void,
  noPeersError: () => BonevalueError,
): Collector {
  const pending = new Set(targets);
  const replies: Reply<unknown>[] = [];
  let waiters: (() => void)[] = [];
  let state: Live<RepliesState<unknown>> | undefined;

  const snapshot = (): RepliesState<unknown> =>
    Object.freeze({ targets: targets.length, pending: pending.size, replies: Object.freeze([...replies]) });

  function settle(peer: Peer, outcome: Outcome): void {
    if (!pending.delete(peer)) return;
    replies.push(
      "error" in outcome
        ? { peer, status: "rejected", error: outcome.error }
        : { peer, status: "fulfilled", value: outcome.value },
    );
    if (state) set(state, snapshot());
    if (pending.size === 0) done();
    const woken = waiters;
    waiters = [];
    for (const wake of woken) wake();
  }

  function settleRest(error: BonevalueError): void {
    for (const peer of pending) {
      stop(peer, error);
      settle(peer, { error });
    }
  }

  function cancel(reason?: unknown): void {
    if (pending.size === 0) return;
    settleRest(cancelled(reason));
  }

  /** Resolves with the reply at `index`, or with undefined when there will be none. */
  function replyAt(index: number): Promise<Reply<unknown> | undefined> {
    return new Promise((resolve) => {
      const check = () => {
        if (index < replies.length || pending.size === 0) resolve(replies[index]);
        else waiters.push(check);
      };
      check();
    });
  }

  function first(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const fulfilled = replies.find(({ status }) => status === "fulfilled");
        if (!fulfilled && pending.size > 0) return void waiters.push(check);
        cancel("Another peer answered first.");
        if (fulfilled) resolve(fulfilled.value);
        else reject(failure());
      };
      check();
    });
  }

  function failure(): BonevalueError | undefined {
    if (targets.length === 0) return noPeersError();
    if (targets.length === 1) return replies[0]?.error;
    return new BonevalueError("all-failed", "All peers failed; `data` has each reply with its error.", {
      data: Object.freeze([...replies]),
    });
  }

  return {
    pending: () => pending.size,
    settle,
    settleRest,
    replies: withState(
      {
        first,
        cancel,
        async all() {
          if (targets.length > 0) await replyAt(targets.length - 1);
          return Object.freeze([...replies]);
        },
        [Symbol.asyncIterator]() {
          let index = 0;
          return {
            async next() {
              const reply = await replyAt(index++);
              return reply ? { done: false, value: reply } : { done: true, value: undefined };
            },
            async return() {
              cancel("The loop over the replies was left.");
              return { done: true, value: undefined };
            },
          };
        },
      },
      () => {
        state ??= createLive(snapshot());
        return state;
      },
    ),
  };
}

/** The error of a call that its caller no longer wants. */
export function cancelled(reason: unknown): BonevalueError {
  return new BonevalueError("cancelled", "The call was cancelled by its caller.", { cause: reason });
}
