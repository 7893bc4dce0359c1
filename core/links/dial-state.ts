import type { SignalKind } from "../protocol/messages.ts";
import type { Signal } from "./signaling.ts";

/** Which side of an attempt we are: the one that dialed, or the one that was asked. */
export type Role = "caller" | "callee";

/** What we know of dialing one peer, either way. Attempts count from 1 and never go back. */
export interface DialState {
  /** When both dial at once, our attempt is the one that stays. */
  readonly impolite: boolean;
  /** The newest attempt of the peer that we know of. */
  readonly newest: number;
  /** The peer's attempts up to this one are over. */
  readonly over: number;
  /** The one connection, open or in the making. */
  readonly current?: { readonly role: Role; readonly attempt: number; readonly open: boolean } | undefined;
}

/** What is to be done now, in order. */
export type Action =
  | { readonly do: "connect"; readonly role: Role; readonly attempt: number }
  /** Hand the signal to the current connection. */
  | { readonly do: "hear" }
  /** The current connection goes: the peer has lost it and dials anew, or our attempt yields to the peer's. */
  | { readonly do: "drop" }
  /** The current connection goes: the peer has ended it. */
  | { readonly do: "leave"; readonly code: string }
  /** Tell the peer that an attempt is over. */
  | { readonly do: "end"; readonly kind: SignalKind; readonly attempt: number; readonly code: string };

/** The state after an event, and what it asks for. */
export interface Step {
  readonly state: DialState;
  readonly actions: readonly Action[];
}

/** The state before anything was said. Of two peers that dial at once, the smaller id stays the caller. */
export function createDialState(self: string, peer: string): DialState {
  return { impolite: self < peer, newest: 0, over: 0 };
}

/** We want a link, and `attempt` is our next number. Does nothing where there is one, open or in the making. */
export function dial(state: DialState, attempt: number): Step {
  if (state.current) return { state, actions: [] };
  return connect(state, "caller", attempt, []);
}

/** The peer has sent a signal. */
export function onSignal(state: DialState, kind: SignalKind, signal: Signal): Step {
  return kind === "peerRequest" ? onRequest(state, signal) : onResponse(state, signal);
}

/** The current connection has opened. What the peer dialed before is over. */
export function onOpen(state: DialState): Step {
  if (!state.current) return { state, actions: [] };
  const { role, attempt } = state.current;
  const over = role === "caller" ? state.newest : state.over;
  return { state: { ...state, over, current: { role, attempt, open: true } }, actions: [] };
}

/** The kind under which `role` sends its signals. */
export function kindOf(role: Role): SignalKind {
  return role === "caller" ? "peerRequest" : "peerResponse";
}

/**
 * The current connection is over on our side. The peer is told unless it was open, when the link itself tells: but not
 * one that had fallen `silent`.
 */
export function endCurrent(state: DialState, code: string, silent = false): Step {
  const { current } = state;
  if (!current) return { state, actions: [] };
  const { role, attempt, open } = current;
  return { state: without(state), actions: open && !silent ? [] : [{ do: "end", kind: kindOf(role), attempt, code }] };
}

function onRequest(state: DialState, signal: Signal): Step {
  const { attempt, end } = signal;
  const { current } = state;
  const known = { ...state, newest: Math.max(state.newest, attempt) };
  const ours = current?.role === "callee" && current.attempt === attempt;
  if (end !== undefined) return ours ? ended(known, end) : { state: closeUpTo(known, attempt), actions: [] };
  if (attempt < state.newest) return { state, actions: [] };
  if (attempt <= state.over) return { state, actions: [sendEnded("peerResponse", attempt)] };
  if (ours) return { state, actions: [{ do: "hear" }] };
  if (!begins(signal)) return { state: closeUpTo(known, attempt), actions: [sendEnded("peerResponse", attempt)] };
  if (current?.role === "caller" && !current.open && state.impolite) return { state: known, actions: [] };
  if (!current) return connect(known, "callee", attempt, []);
  return connect(without(known), "callee", attempt, [{ do: "drop" }]);
}

/** Whether it may be the first that is heard of an attempt: what speaks of a link that was open is not. */
function begins({ round, description, candidates }: Signal): boolean {
  return round === 0 && (description !== undefined || candidates !== undefined);
}

function onResponse(state: DialState, { attempt, end }: Signal): Step {
  const { current } = state;
  if (current?.role !== "caller" || current.attempt !== attempt) {
    return { state, actions: end === undefined ? [sendEnded("peerRequest", attempt)] : [] };
  }
  return end === undefined ? { state, actions: [{ do: "hear" }] } : ended(state, end);
}

function connect(state: DialState, role: Role, attempt: number, before: readonly Action[]): Step {
  return {
    state: { ...state, current: { role, attempt, open: false } },
    actions: [...before, { do: "connect", role, attempt }],
  };
}

function ended(state: DialState, code: string): Step {
  return { state: without(state), actions: [{ do: "leave", code }] };
}

function without({ current, ...state }: DialState): DialState {
  return current?.role === "callee" ? closeUpTo(state, current.attempt) : state;
}

function closeUpTo(state: DialState, attempt: number): DialState {
  return { ...state, over: Math.max(state.over, attempt) };
}

// Whoever still speaks of an attempt that is over missed its end; with this code it knows that it may dial anew.
function sendEnded(kind: SignalKind, attempt: number): Action {
  return { do: "end", kind, attempt, code: "disconnected" };
}
