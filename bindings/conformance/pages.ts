import * as v from "valibot";
import {
  BonevalueError,
  defineModule,
  type Module,
  type Peer,
  type PeerId,
  type Query,
  type Replies,
  stream,
  type Trust,
} from "../../core/index.ts";

const text: v.StringSchema<undefined> = v.string();

/** The module that pages call and offer. */
export const Ask: Module<typeof text, typeof text> = defineModule("Ask", { request: text, response: text });

const number: v.NumberSchema<undefined> = v.number();
const numbers: ReturnType<typeof stream<typeof number>> = stream(number);

/** A module whose answers are streams. */
export const Count: Module<typeof number, typeof numbers> = defineModule("Count", {
  request: number,
  response: numbers,
});

/** What each framework's pages take, and what they show. */
export interface Pages {
  /**
   * `.status`, `.self`, `.users` and, in two components, `.peers`: each the query and its peers' names, as {@link line}
   * writes them. Every list that a render sees goes to `saw`.
   */
  people: { readonly query: Query; readonly saw: (peers: readonly Peer[]) => void };
  /** A `.row` for each id, a component of its own: the peer's name and its link's status. Each render is told. */
  rows: { readonly ids: readonly PeerId[]; readonly rendered: (id: PeerId) => void };
  /** `.call`: what {@link callLine} makes of `useCall(Ask, query)`, whose functions go to `made`. */
  caller: { readonly query: Query; readonly made: (made: Made) => void };
  /** `.reader`: the item of bob's {@link Count} that came last. An effect calls it, anew for another `from`. */
  reader: { readonly from: number };
  /** Offers {@link Ask} to `allow`, or else to everybody, and answers with `answer`; tells `heard` of it whenever somebody signs in. */
  offer: {
    readonly answer: string;
    readonly heard: (answer: string, peer: Peer) => void;
    readonly allow?: Query;
  };
  /** A component that offers {@link Ask} and answers with `answer`: another component for each answer. */
  places: { readonly answer: string };
  /** `.trust`: what {@link trustLine} makes of `useTrust()`, whose `claimToken` goes to `made`. */
  trust: { readonly made: (claimToken: Trust["claimToken"]) => void };
}

/** What a caller page lets a test do. */
export interface Made {
  call(request: string): Replies<string>;
  cancel(): void;
  reset(): void;
}

/** Shows each item of the stream that was asked for, until the call is cancelled. */
export async function read(replies: Replies<AsyncIterable<number>>, show: (item: number) => void): Promise<void> {
  try {
    for await (const item of await replies.first()) show(item);
  } catch (error) {
    if (!(error instanceof BonevalueError && error.code === "cancelled")) throw error;
  }
}

/** Peers as a page shows them. */
export function line(query: Query, peers: readonly Peer[]): string {
  return `${JSON.stringify(query)}: ${peers.map(({ name }) => name).join(" ")}`;
}

/** A call as a page shows it. */
export function callLine(call: {
  readonly pending: boolean;
  readonly progress: { readonly targets: number; readonly replied: number };
  readonly first: string | undefined;
  readonly error: { readonly code: string } | undefined;
}): string {
  const { targets, replied } = call.progress;
  return `${call.pending ? "pending" : "still"} ${replied}/${targets} ${call.first ?? call.error?.code ?? ""}`.trim();
}

/** Requests about trust as a page shows them. */
export function trustLine(pending: boolean, error: { readonly code: string } | undefined): string {
  return pending ? "pending" : (error?.code ?? "still");
}
