import * as v from "valibot";
import {
  type Alias,
  BonevalueError,
  defineModule,
  definePresence,
  type LinkState,
  type Module,
  type OwnIdentity,
  type Peer,
  type PeerId,
  type PeerPresence,
  type PresenceDefinition,
  type Query,
  type Replies,
  stream,
  type UserIdentity,
} from "../../core/index.ts";
import type { Trust } from "../../core/internal.ts";

const text: v.StringSchema<undefined> = v.string();

/** The module that pages call and register. */
export const Ask: Module<typeof text, typeof text> = defineModule("Ask", { request: text, response: text });

const number: v.NumberSchema<undefined> = v.number();
const numbers: ReturnType<typeof stream<typeof number>> = stream(number);

/** A module that answers with a stream. */
export const Count: Module<typeof number, typeof numbers> = defineModule("Count", {
  request: number,
  response: numbers,
});

/** The presence value that pages share. */
export const Position: PresenceDefinition<typeof number> = definePresence("Position", number);

/** The props of each page. A comment says what the page renders. */
export interface Pages {
  /**
   * `.status`, `.self`, `.users` and, in two components, `.peers`: each the query and its peers' names, as {@link formatPeers}
   * formats them. Each render passes its list to `onPeers`.
   */
  presence: { readonly query: Query; readonly onPeers: (peers: readonly Peer[]) => void };
  /** A `.row` component for each id, formatted by {@link formatRow}. Each render calls `onRender`. */
  rows: { readonly ids: readonly PeerId[]; readonly onRender: (id: PeerId) => void };
  /** `.call`: the state of `useCall(Ask, query)`, formatted by {@link formatCall}. Its functions go to `onReady`. */
  caller: { readonly query: Query; readonly onReady: (controls: CallControls) => void };
  /** `.reader`: the last item of bob's {@link Count}. An effect calls it again when `from` changes. */
  streamReader: { readonly from: number };
  /**
   * Registers {@link Ask} for `allow` (default: everyone) and, with `verified`, only for peers that are verified. Answers `answer`, and
   * passes `answer` and each new peer to `onPeerConnect`.
   */
  module: {
    readonly answer: string;
    readonly onPeerConnect: (answer: string, peer: Peer) => void;
    readonly allow?: Query;
    readonly verified?: boolean;
  };
  /** Registers {@link Ask} in a component that is replaced when `answer` changes. */
  keyedModule: { readonly answer: string };
  /** `.others`: the values of {@link Position} that `query` matches, formatted by {@link formatOthers}. `.count`: a component that selects their number. Each render of it calls `onCount`. */
  others: { readonly query: Query; readonly onCount: (count: number) => void };
  /** `.other`: a component for each id, with the peer's value. Each render calls `onRender`. */
  otherRows: { readonly ids: readonly PeerId[]; readonly onRender: (id: PeerId) => void };
  /** `.own`: two components that share {@link Position}, the second with `initial` + 1. `onReady` gets the function that sets the value. */
  own: { readonly initial: number; readonly onReady: (set: (value: number) => void) => void };
  /** `.trust`: the state of `useTrust()`, formatted by {@link formatTrust}. Its functions go to `onReady`. */
  trust: { readonly onReady: (requests: TrustRequests) => void };
  /**
   * `.own` and `.user`: this client's identity and that of the user, formatted by {@link formatOwnIdentity} and
   * {@link formatUserIdentity}. `.link`: whether the link to the user's first peer is verified.
   */
  identity: { readonly alias: Alias };
}

/** The functions of `useTrust`, for a test to call. */
export type TrustRequests = Omit<Trust, "state">;

/** The functions of `useCall`, for a test to call. */
export interface CallControls {
  call(request: string): Replies<string>;
  cancel(): void;
  reset(): void;
}

/** Passes each item of the stream to `show`, until the call is cancelled. */
export async function showItems(replies: Replies<AsyncIterable<number>>, show: (item: number) => void): Promise<void> {
  try {
    for await (const item of await replies.first()) show(item);
  } catch (error) {
    if (!(error instanceof BonevalueError && error.code === "cancelled")) throw error;
  }
}

/** Formats a query and its peers. */
export function formatPeers(query: Query, peers: readonly Peer[]): string {
  return `${JSON.stringify(query)}: ${peers.map(({ name }) => name).join(" ")}`;
}

/** Formats a row. Like the view of an app, it throws if the mood is not a string. */
export function formatRow(peer: Peer | undefined, { status }: LinkState): string {
  const { mood } = (peer?.profile ?? {}) as { readonly mood?: string };
  return `${peer?.name} ${status}${mood === undefined ? "" : ` ${mood.toUpperCase()}`}`;
}

/** Formats the values of other peers. */
export function formatOthers(others: readonly PeerPresence<number>[]): string {
  return others.map(({ peer, value, stale }) => `${peer.name} ${value}${stale ? " stale" : ""}`).join(", ");
}

/** Formats the state of a call. */
export function formatCall(call: {
  readonly pending: boolean;
  readonly progress: { readonly targets: number; readonly replied: number };
  readonly first: string | undefined;
  readonly error: { readonly code: string } | undefined;
}): string {
  const { targets, replied } = call.progress;
  return `${call.pending ? "pending" : "idle"} ${replied}/${targets} ${call.first ?? call.error?.code ?? ""}`.trim();
}

/** Formats the state of trust requests. */
export function formatTrust(pending: boolean, error: { readonly code: string } | undefined): string {
  return pending ? "pending" : (error?.code ?? "idle");
}

/** Formats the own identity. */
export function formatOwnIdentity(identity: OwnIdentity | undefined): string {
  return identity ? `${identity.status}, ${identity.devices.length} others` : "none";
}

/** Formats the identity of a user. */
export function formatUserIdentity(alias: Alias, { status, safetyNumber }: UserIdentity): string {
  return `${alias} ${status}${safetyNumber === undefined ? "" : ` ${safetyNumber.split(" ").length} groups`}`;
}
