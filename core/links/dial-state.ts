import type { SignalKind } from "../protocol/messages.ts";
import type { Signal } from "./signaling.ts";

// Which attempt stands when both peers dial: "perfect negotiation" (W3C WebRTC, section 10.7) for whole connections.
// docs/protocol.md, "Simultaneous attempts".
//
// Each side numbers its attempts in ascending order, from the time of day: a page that is reloaded keeps its peer id, and
// its attempts have to be newer than those before. Signals get lost, repeated and delayed, so a side keeps the peer's newest
// attempt and the newest that is over: an older one is ignored, and one that is over is answered with its end. If both
// dial at once, the peer with the smaller id is impolite: it ignores the other's attempt. The polite peer drops its own
// attempt and answers. A new attempt of the peer replaces the peer's earlier attempt, and also an open link: only a peer
// that has lost the link dials again.
//
// The functions are pure: they return the next state and the actions to perform, in order.

/** Which side of an attempt we are: `caller` dialed, `callee` answers. */
export type Role = "caller" | "callee";

/** The state of dialing one peer, in both directions. */
export interface DialState {
  /** Our attempt stands when both dial at once. */
  readonly impolite: boolean;
  /** The newest attempt of the peer that we know of. */
  readonly newest: number;
  /** The peer's attempts up to this one are over. */
  readonly over: number;
  /** The one connection, open or being made. */
  readonly current?: { readonly role: Role; readonly attempt: number; readonly open: boolean } | undefined;
}

/** One action of the dialer. */
export type Action =
  | { readonly do: "connect"; readonly role: Role; readonly attempt: number }
  /** Pass the signal to the current connection. */
  | { readonly do: "receive" }
  /** Close the current connection: the peer has lost it and dials again, or our attempt yields to the peer's. */
  | { readonly do: "drop" }
  /** Close the current connection: the peer has ended it. */
  | { readonly do: "end"; readonly code: string }
  /** Inform the peer that an attempt is over. */
  | { readonly do: "sendEnd"; readonly kind: SignalKind; readonly attempt: number; readonly code: string };

/** The state after an event, and the actions to perform, in order. */
export interface Transition {
  readonly state: DialState;
  readonly actions: readonly Action[];
}

/** The state before the first signal. The smaller id is impolite. */
export function createDialState(self: string, peer: string): DialState {
  return { impolite: self < peer, newest: 0, over: 0 };
}

/** Dials with our next attempt number. Does nothing if a connection is open or being made. */
export function dial(state: DialState, attempt: number): Transition {
  if (state.current) return { state, actions: [] };
  return connect(state, "caller", attempt, []);
}

/** Reads a signal of the peer. */
export function onSignal(state: DialState, kind: SignalKind, signal: Signal): Transition {
  return kind === "peerRequest" ? onRequest(state, signal) : onResponse(state, signal);
}

/** The current connection has opened. The peer's earlier attempts are over. */
export function onOpen(state: DialState): Transition {
  if (!state.current) return { state, actions: [] };
  const { role, attempt } = state.current;
  const over = role === "caller" ? state.newest : state.over;
  return { state: { ...state, over, current: { role, attempt, open: true } }, actions: [] };
}

/** The kind of the signals that `role` sends. */
export function kindOf(role: Role): SignalKind {
  return role === "caller" ? "peerRequest" : "peerResponse";
}

/**
 * The current connection is over on this side. Informs the peer, except about an open connection, whose link ends there,
 * too. A `silent` link cannot, so the peer is informed.
 */
export function endCurrent(state: DialState, code: string, silent = false): Transition {
  const { current } = state;
  if (!current) return { state, actions: [] };
  const { role, attempt, open } = current;
  const actions: Action[] = open && !silent ? [] : [{ do: "sendEnd", kind: kindOf(role), attempt, code }];
  return { state: without(state), actions };
}

function onRequest(state: DialState, signal: Signal): Transition {
  const { attempt, end } = signal;
  const { current } = state;
  const known = { ...state, newest: Math.max(state.newest, attempt) };
  const isCurrent = current?.role === "callee" && current.attempt === attempt;
  if (end !== undefined) return isCurrent ? ended(known, end) : { state: closeUpTo(known, attempt), actions: [] };
  if (attempt < state.newest) return { state, actions: [] };
  if (attempt <= state.over) return { state, actions: [sendEnded("peerResponse", attempt)] };
  if (isCurrent) return { state, actions: [{ do: "receive" }] };
  if (!begins(signal)) return { state: closeUpTo(known, attempt), actions: [sendEnded("peerResponse", attempt)] };
  if (current?.role === "caller" && !current.open && state.impolite) return { state: known, actions: [] };
  if (!current) return connect(known, "callee", attempt, []);
  return connect(without(known), "callee", attempt, [{ do: "drop" }]);
}

/** Whether it may be the first signal of an attempt. Signals about a link that was open may not. */
function begins({ round, description, candidates, relay }: Signal): boolean {
  return round === 0 && (description ?? candidates ?? relay) !== undefined;
}

function onResponse(state: DialState, { attempt, end }: Signal): Transition {
  const { current } = state;
  if (current?.role !== "caller" || current.attempt !== attempt) {
    return { state, actions: end === undefined ? [sendEnded("peerRequest", attempt)] : [] };
  }
  return end === undefined ? { state, actions: [{ do: "receive" }] } : ended(state, end);
}

function connect(state: DialState, role: Role, attempt: number, before: readonly Action[]): Transition {
  return {
    state: { ...state, current: { role, attempt, open: false } },
    actions: [...before, { do: "connect", role, attempt }],
  };
}

function ended(state: DialState, code: string): Transition {
  return { state: without(state), actions: [{ do: "end", code }] };
}

function without({ current, ...state }: DialState): DialState {
  return current?.role === "callee" ? closeUpTo(state, current.attempt) : state;
}

function closeUpTo(state: DialState, attempt: number): DialState {
  return { ...state, over: Math.max(state.over, attempt) };
}

// A peer that still signals about this attempt has missed its end. The code allows it to dial again.
function sendEnded(kind: SignalKind, attempt: number): Action {
  return { do: "sendEnd", kind, attempt, code: "disconnected" };
}
