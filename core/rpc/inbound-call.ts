import type { BonevalueError } from "../errors.ts";
import { lazyProperty } from "../lazy-property.ts";
import type { Peer } from "../peer.ts";
import type { Deadline } from "./deadlines.ts";
import type { NamedHandlerContext } from "./module.ts";
import { discardValue } from "./streams/answer-payload.ts";
import { createStreamGroup, type StreamGroup } from "./streams/stream-group.ts";
import type { Streams } from "./streams/streams.ts";
import { thrownError, unreadError } from "./wire-errors.ts";

/** How a handler ended: with the value that it returned, or the error that it threw. */
export type Ending = { readonly value: unknown } | { readonly thrown: unknown };

/**
 * A request of the peer, as a record. It begins when the request is read and is over with the first ending: the handler's,
 * or an abort because the caller cancelled, the deadline passed or the link is lost. Its streams outlive it: those of the
 * answer run until their ends, and abort the handler's signal when something else than themselves ends them. Streams of
 * the request that are not read end with the answer and the answer's streams, since a generator reads the request while it
 * makes the answer.
 */
export interface InboundCall {
  readonly link: InboundLink;
  /** The caller's number for it. 0 for a message. */
  readonly id: number;
  isOver: boolean;
  /** Made when it is needed: most calls have no stream. */
  group?: StreamGroup;
  deadline?: Deadline;
  /** Made when a handler asks for its signal: most never do. */
  controller?: AbortController;
  abortReason?: BonevalueError;
  /** Whether it is a message whose handling the sender waits to learn of. */
  isUnacknowledged?: boolean;
  /** Whether its handler has started. */
  isRunning?: boolean;
  /** Ends the wait for its schema. */
  wake?: () => void;
}

/** The parts of a link that all its calls share. */
export interface InboundLink {
  peer(): Peer;
  readonly streams: Streams;
  /** Whether the peer's identity is certain. */
  isVerified(): boolean;
  /** A call is over. `ending` is undefined when it was aborted. */
  onOver(call: InboundCall, ending: Ending | undefined): void;
  /** The peer has got more credit for a stream of the request. */
  onCredit(call: InboundCall): void;
}

const withSignal = lazyProperty("signal");

/** Creates the record of a request that has arrived. */
export function createInboundCall(link: InboundLink, id: number): InboundCall {
  return { link, id, isOver: false };
}

/** The streams of a call. */
export function groupOf(call: InboundCall): StreamGroup {
  const { link } = call;
  call.group ??= createStreamGroup(link.streams, {
    outgoingCode: "invalid-response",
    incomingCode: "invalid-request",
    onCredit: () => link.onCredit(call),
    onSent(ended) {
      if (ended) abort(call, ended);
      call.group?.cancelUnclaimed(unreadError());
    },
  });
  return call.group;
}

/** Creates the argument of the handler. Under a bare name it may answer by callback. */
export function contextOf(call: InboundCall, request: unknown, isBare: boolean): NamedHandlerContext {
  const peer = call.link.peer();
  const verified = call.link.isVerified();
  const context = isBare
    ? { request, peer, verified, callback: (value: unknown) => end(call, { value }) }
    : { request, peer, verified };
  return withSignal(context, () => signalOf(call)) as NamedHandlerContext;
}

function signalOf(call: InboundCall): AbortSignal {
  call.controller ??= new AbortController();
  if (call.abortReason) call.controller.abort(call.abortReason);
  return call.controller.signal;
}

/** Ends a call. Only the first ending counts; the streams of a later answer are cancelled. */
export function end(call: InboundCall, ending: Ending): void {
  if (call.isOver) {
    if ("value" in ending) discardValue(ending.value);
    return;
  }
  finish(call, ending);
  if ("thrown" in ending) call.group?.end(thrownError(ending.thrown));
  else if (!call.group?.isSending) call.group?.cancelUnclaimed(unreadError());
}

/** Aborts the handler's signal with `reason`, whether or not the call is over. */
export function abort(call: InboundCall, reason: BonevalueError): void {
  call.abortReason ??= reason;
  call.controller?.abort(reason);
  if (!call.isOver) finish(call, undefined);
}

/** Aborts a call and ends its streams. */
export function abortWithStreams(call: InboundCall, reason: BonevalueError): void {
  abort(call, reason);
  call.group?.end(reason);
}

function finish(call: InboundCall, ending: Ending | undefined): void {
  call.isOver = true;
  call.wake?.();
  call.link.onOver(call, ending);
}

/** Resolves with `work`, which never rejects, or when the call is over before. */
export function untilOver(call: InboundCall, work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    call.wake = resolve;
    work.then(resolve);
  });
}
