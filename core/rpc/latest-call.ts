import type { BonevalueError } from "../errors.ts";
import { createLive, type Live, write } from "../reactive.ts";
import type { Replies, RepliesState, Reply } from "./replies.ts";

/** A call as a view shows it. Frozen. */
export interface CallState<Response> {
  /** One for each peer that has answered or failed, in order of arrival. */
  readonly replies: readonly Reply<Response>[];
  /** Whether somebody has not replied yet. */
  readonly pending: boolean;
  /** The first value that arrived. */
  readonly first: Response | undefined;
  /** How many peers were asked, and how many of them have replied. */
  readonly progress: { readonly targets: number; readonly replied: number };
  /** Why no value arrived, as `Replies.first` would say; nothing while the call is pending, or where the app cancelled it. */
  readonly error: BonevalueError | undefined;
}

/** The state of one call at a time, the latest: what a button and the list of answers below it need. */
export interface LatestCall<Response> {
  readonly state: Live<CallState<Response>>;
  /** Shows these replies from now on, and cancels the call that was shown before. Returns what it was given. */
  follow(replies: Replies<Response>): Replies<Response>;
  /** Ends what is outstanding; the replies that are there stay. */
  cancel(): void;
  /** Cancels, and shows nothing. */
  reset(): void;
}

const nothing: CallState<never> = Object.freeze({
  replies: Object.freeze([]),
  pending: false,
  first: undefined,
  progress: Object.freeze({ targets: 0, replied: 0 }),
  error: undefined,
});

/**
 * A view of no call yet. Bindings are made of it; an app without a framework can use it as well.
 *
 * @example
 * const latest = createLatestCall<string>();
 * latest.state.subscribe(({ pending, replies }) => render(pending, replies));
 * button.onclick = () => latest.follow(client.get("*").call("Echo", input.value));
 */
export function createLatestCall<Response>(): LatestCall<Response> {
  const state = createLive<CallState<Response>>(nothing);
  let outstanding: Replies<Response> | undefined;
  let unfollow = () => {};

  function show(change: Partial<CallState<Response>>): void {
    write(state, Object.freeze({ ...state.peek(), ...change }));
  }

  /** Pending until the error is known: a view never sees an end without its reason. */
  function showReplies(call: Replies<Response>, now: RepliesState<Response>): void {
    const fulfilled = now.replies.find(({ status }) => status === "fulfilled");
    const failed = now.pending === 0 && !fulfilled && call === outstanding;
    show({
      replies: now.replies,
      pending: now.pending > 0 || failed,
      first: fulfilled?.value,
      progress: Object.freeze({ targets: now.targets, replied: now.replies.length }),
      error: undefined,
    });
    if (failed) call.first().catch((error) => call === outstanding && show({ pending: false, error }));
  }

  function cancel(): void {
    const call = outstanding;
    outstanding = undefined;
    call?.cancel("The view that made the call cancelled it.");
    if (state.peek().pending) show({ pending: false });
  }

  function leave(): void {
    unfollow();
    cancel();
  }

  return {
    state,
    cancel,
    follow(replies) {
      leave();
      outstanding = replies;
      unfollow = replies.state.subscribe((now) => showReplies(replies, now));
      return replies;
    },
    reset() {
      leave();
      write(state, nothing);
    },
  };
}
