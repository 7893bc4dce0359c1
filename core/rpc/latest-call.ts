import { isSignal } from "../check-arguments.ts";
import type { BonevalueError } from "../errors.ts";
import type { PeerId } from "../peer.ts";
import { createLive, type Live, set } from "../reactive.ts";
import type { CallOptions } from "./call.ts";
import type { Progress } from "./call-peer.ts";
import type { Args, Module, ResponseOutput } from "./module.ts";
import type { Replies, RepliesState, Reply } from "./replies.ts";
import type { Target } from "./target.ts";

/** How far a call is. */
export interface CallProgress {
  /** How many peers were asked. */
  readonly targets: number;
  /** How many of them have replied. */
  readonly replied: number;
  /** How much of the request's streams and files they have read, all together, in bytes. */
  readonly sent: number;
  /** How much that will be. Known once a peer reads, where the request carries files alone. */
  readonly total: number | undefined;
}

/** A call as a view shows it. Frozen. */
export interface CallState<Response> {
  /** One for each peer that has answered or failed, in order of arrival. */
  readonly replies: readonly Reply<Response>[];
  /** Whether somebody has not replied yet. */
  readonly pending: boolean;
  /** The first value that arrived. */
  readonly first: Response | undefined;
  readonly progress: CallProgress;
  /** Why no value arrived, as `Replies.first` would say; nothing while it is pending, or where `cancel` ended it. */
  readonly error: BonevalueError | undefined;
}

/** The state of one call at a time, the latest: what a button and the list of answers below it need. */
export interface LatestCall<M extends Module | string> {
  readonly state: Live<CallState<ResponseOutput<M>>>;
  /** As `target.call`, and shown from now on. The call before is cancelled. */
  call(target: Target, module: M, ...args: Args<M, [options?: CallOptions]>): Replies<ResponseOutput<M>>;
  /** Ends what is outstanding, streams that have come included; the replies that are there stay. */
  cancel(): void;
  /** Cancels, and shows nothing. */
  reset(): void;
}

const nothing: CallState<never> = Object.freeze({
  replies: Object.freeze([]),
  pending: false,
  first: undefined,
  progress: Object.freeze({ targets: 0, replied: 0, sent: 0, total: undefined }),
  error: undefined,
});

/**
 * A view of no call yet. Bindings are made of it; an app without a framework can use it as well.
 *
 * @example
 * const latest = createLatestCall<typeof Echo>();
 * latest.state.subscribe(({ pending, replies }) => render(pending, replies));
 * button.onclick = () => latest.call(client.get("*"), Echo, { text: input.value });
 */
export function createLatestCall<M extends Module | string>(): LatestCall<M> {
  const state = createLive<CallState<ResponseOutput<M>>>(nothing);
  /** Ends the call that is shown. */
  let shown: AbortController | undefined;
  let unfollow = () => {};

  function show(change: Partial<CallState<ResponseOutput<M>>>): void {
    set(state, Object.freeze({ ...state.peek(), ...change }));
  }

  function further(change: Partial<CallProgress>): CallProgress {
    return Object.freeze({ ...state.peek().progress, ...change });
  }

  /** Pending until the error is known: a view never sees an end without its reason. */
  function showReplies(replies: Replies<ResponseOutput<M>>, now: RepliesState<ResponseOutput<M>>): void {
    const call = shown;
    const fulfilled = now.replies.find(({ status }) => status === "fulfilled");
    const failed = now.pending === 0 && !fulfilled && call !== undefined;
    show({
      replies: now.replies,
      pending: now.pending > 0 || failed,
      first: fulfilled?.value,
      progress: further({ targets: now.targets, replied: now.replies.length }),
    });
    if (failed) replies.first().catch((error) => call === shown && show({ pending: false, error }));
  }

  function cancel(): void {
    const call = shown;
    shown = undefined;
    call?.abort("The view that made the call has ended it.");
    if (state.peek().pending) show({ pending: false });
  }

  function reset(): void {
    unfollow();
    cancel();
    set(state, nothing);
  }

  function call(target: Target, module: M, ...[request, options]: Args<M, [options?: CallOptions]>) {
    const ask: (module: Module | string, request: unknown, options: CallOptions) => Replies<any> = target.call;
    const { signal, onProgress } = options ?? {};
    const own = new AbortController();
    const sent = new Map<PeerId, number>();

    function progressed(progress: Progress): void {
      sent.set(progress.peer.id, progress.sent);
      const bytes = [...sent.values()].reduce((sum, count) => sum + count, 0);
      // Every peer reads the same request.
      const total = progress.total && progress.total * state.peek().progress.targets;
      if (own === shown) show({ progress: further({ sent: bytes, total }) });
      onProgress?.(progress);
    }

    reset();
    shown = own;
    const replies: Replies<ResponseOutput<M>> = ask(module, request, {
      ...options,
      signal: signal && isSignal(signal) ? AbortSignal.any([own.signal, signal]) : (signal ?? own.signal),
      onProgress: progressed,
    });
    unfollow = replies.state.subscribe((now) => showReplies(replies, now));
    return replies;
  }

  return { state, call, cancel, reset };
}
