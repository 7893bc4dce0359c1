import { isAbortSignal } from "../check-arguments.ts";
import type { BonevalueError } from "../errors.ts";
import type { PeerId } from "../peer.ts";
import { createLive, type Live, set } from "../reactive.ts";
import type { CallOptions } from "./call.ts";
import type { Progress } from "./call-peer.ts";
import type { Args, Module, ResponseOutput } from "./module.ts";
import type { Replies, RepliesState, Reply } from "./replies.ts";
import type { Target } from "./target.ts";

/** The progress of a call. */
export interface CallProgress {
  /** How many peers were called. */
  readonly targets: number;
  /** How many of them have replied. */
  readonly replied: number;
  /** How much of the request's streams and files all of them have read together, in bytes. */
  readonly sent: number;
  /** What `sent` will be in the end. Known once a peer reads, when the request carries only files. */
  readonly total: number | undefined;
}

/** The state of a call for a view. Frozen. */
export interface CallState<Response> {
  /** The replies in order of arrival. */
  readonly replies: readonly Reply<Response>[];
  /** Whether a peer has not replied yet. */
  readonly pending: boolean;
  /** The first value that arrived. */
  readonly first: Response | undefined;
  /** How many peers have replied, and how many bytes they have read. */
  readonly progress: CallProgress;
  /** Why no value arrived, as `Replies.first` rejects. Undefined while pending, and if `cancel` ended the call. */
  readonly error: BonevalueError | undefined;
}

/** The state of the latest call, for a button and the list of answers below it. */
export interface LatestCall<M extends Module | string> {
  readonly state: Live<CallState<ResponseOutput<M>>>;
  /** Calls as `target.call` does, and shows this call from now on. Cancels the one before. */
  call(target: Target, module: M, ...args: Args<M, [options?: CallOptions]>): Replies<ResponseOutput<M>>;
  /** Cancels the call and the streams of its answers. Keeps the replies that have arrived. */
  cancel(): void;
  /** Cancels, and shows the initial state. */
  reset(): void;
}

const initial: CallState<never> = Object.freeze({
  replies: Object.freeze([]),
  pending: false,
  first: undefined,
  progress: Object.freeze({ targets: 0, replied: 0, sent: 0, total: undefined }),
  error: undefined,
});

/**
 * Creates the state of a view. The bindings use it; an app without a framework can use it as well.
 *
 * @example
 * const latest = createLatestCall<typeof Echo>();
 * latest.state.subscribe(({ pending, replies }) => render(pending, replies));
 * button.onclick = () => latest.call(client.get("*"), Echo, { text: input.value });
 */
export function createLatestCall<M extends Module | string>(): LatestCall<M> {
  const state = createLive<CallState<ResponseOutput<M>>>(initial);
  /** Aborts the call that is shown. */
  let shown: AbortController | undefined;
  let unsubscribe = () => {};

  function show(change: Partial<CallState<ResponseOutput<M>>>): void {
    set(state, Object.freeze({ ...state.peek(), ...change }));
  }

  function withProgress(change: Partial<CallProgress>): CallProgress {
    return Object.freeze({ ...state.peek().progress, ...change });
  }

  /** Stays pending until the error is known, so that a view never shows an end without its reason. */
  function showReplies(replies: Replies<ResponseOutput<M>>, now: RepliesState<ResponseOutput<M>>): void {
    const call = shown;
    const fulfilled = now.replies.find(({ status }) => status === "fulfilled");
    const failed = now.pending === 0 && !fulfilled && call !== undefined;
    show({
      replies: now.replies,
      pending: now.pending > 0 || failed,
      first: fulfilled?.value,
      progress: withProgress({ targets: now.targets, replied: now.replies.length }),
    });
    if (failed) replies.first().catch((error) => call === shown && show({ pending: false, error }));
  }

  function cancel(): void {
    const call = shown;
    shown = undefined;
    call?.abort("The view that made the call cancelled it.");
    if (state.peek().pending) show({ pending: false });
  }

  function reset(): void {
    unsubscribe();
    cancel();
    set(state, initial);
  }

  function call(target: Target, module: M, ...[request, options]: Args<M, [options?: CallOptions]>) {
    const callTarget: (module: Module | string, request: unknown, options: CallOptions) => Replies<any> = target.call;
    const { signal, onProgress } = options ?? {};
    const own = new AbortController();
    const sent = new Map<PeerId, number>();

    function progressed(progress: Progress): void {
      sent.set(progress.peer.id, progress.sent);
      const bytes = [...sent.values()].reduce((sum, count) => sum + count, 0);
      // Every peer reads the same request.
      const total = progress.total && progress.total * state.peek().progress.targets;
      if (own === shown) show({ progress: withProgress({ sent: bytes, total }) });
      onProgress?.(progress);
    }

    reset();
    shown = own;
    const replies: Replies<ResponseOutput<M>> = callTarget(module, request, {
      ...options,
      signal: signal && isAbortSignal(signal) ? AbortSignal.any([own.signal, signal]) : (signal ?? own.signal),
      onProgress: progressed,
    });
    unsubscribe = replies.state.subscribe((now) => showReplies(replies, now));
    return replies;
  }

  return { state, call, cancel, reset };
}
