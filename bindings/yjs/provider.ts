import * as v from "valibot";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import {
  BonevalueError,
  type Client,
  defineModule,
  definePresence,
  type ErrorCode,
  file,
  type Live,
  type Peer,
  type PeerId,
  type Query,
  type RemoteFile,
} from "../../core/index.ts";
import { selectFrom } from "../../core/internal.ts";
import { awarenessState, shareAwareness } from "./awareness.ts";

// Keeps a document the same on all peers that have it open.
//
// - Presence says who has the document open, keeps the links open, and carries the awareness state.
// - `Sync` exchanges state vectors, which say which changes each side has. The side that sees the other first calls it. Then
//   each side knows which changes the other lacks. It sends these, and then every change of its own.
// - `Update` carries changes, one call to a peer at a time. Changes made meanwhile are merged into the next call. The
//   answer confirms the changes. Without an answer they are sent again, because Yjs ignores changes that it has already.
// - A page that reloads, or returns after an outage, calls `Sync` again. Its request replaces the changes that wait for it.

/** Synchronizes a document between the peers that have it open. */
export interface YjsProvider {
  /** The other peers that have the document open. */
  readonly peers: Live<readonly Peer[]>;
  /** Stops the synchronization and removes the awareness states of others. The document keeps its content. */
  destroy(): void;
}

/** Options of {@link createYjsProvider}. */
export interface YjsProviderOptions {
  /** The peers that may read and change the document, such as `"*"`. */
  readonly query: Query;
  /** The name of the document, the same for all its peers. At most 100 characters. */
  readonly name: string;
  /** An Awareness whose states are shared, too: names, cursors and selections. */
  readonly awareness?: Awareness | undefined;
  /**
   * Called with an error that another attempt cannot fix, such as a document that is too large for a peer. Default:
   * `console.error`. Invalid data from other peers causes an `error` event of the client.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** A peer that may have the document open. */
interface Remote {
  /** The changes that the peer lacks. Undefined until its state vector is known. */
  waiting: Uint8Array[] | undefined;
  /** Whether presence lists the peer. While false, only a request of the peer has arrived. */
  isListed: boolean;
  /** Ends the pause of the peer's task. */
  wake: () => void;
  readonly leaving: AbortController;
}

/** The time in ms until a failed call is repeated. */
const retryMs = 1_000;
/** Larger updates are sent as files, which have no limit of their own at the sender. */
const maxInlineBytes = 64 * 1_024;
/** The largest update that is accepted. */
const maxUpdateBytes = 256 * 1_024 * 1_024;
const maxNameLength = 100;

// The peer may succeed later.
const transient: readonly ErrorCode[] = ["link-failed", "disconnected", "timeout", "busy", "rate-limited"];
// The peer has left or has closed the document, or this page is offline.
const gone: readonly ErrorCode[] = [
  "unknown-module",
  "unknown-peer",
  "forbidden",
  "cancelled",
  "not-connected",
  "no-peers",
];

const bytes = v.custom<Uint8Array>((value) => value instanceof Uint8Array);

/**
 * Synchronizes `doc` with every peer that matches `query` and has a provider of the same `name`, as long as both are online.
 * Changes that were made offline are merged when peers meet again. Throws `module-taken` if the client has a provider of
 * this name, and `invalid-request` if the name is not a string of at most 100 characters.
 *
 * @example
 * const doc = new Y.Doc();
 * const provider = createYjsProvider(client, doc, { query: "*", name: "notes" });
 */
export function createYjsProvider(
  client: Client,
  doc: Y.Doc,
  { query, name, awareness, onError = console.error }: YjsProviderOptions,
): YjsProvider {
  if (typeof name !== "string" || name.length > maxNameLength)
    throw new BonevalueError(
      "invalid-request",
      `The document's name must be a string of at most ${maxNameLength} characters.`,
    );
  const Sync = defineModule(`Yjs.Sync:${name}`, { request: bytes, response: bytes });
  const Update = defineModule(`Yjs.Update:${name}`, { request: v.union([bytes, file()]) });
  const Open = definePresence(`Yjs:${name}`, v.nullable(awarenessState));
  const remotes = new Map<PeerId, Remote>();
  const others = client.get(query).presence(Open);

  /** Changes the state of a peer. A new peer gets its task. */
  function note(id: PeerId, change: Partial<Pick<Remote, "waiting" | "isListed">>): void {
    const known = remotes.get(id);
    const remote = known ?? { waiting: undefined, isListed: false, wake() {}, leaving: new AbortController() };
    Object.assign(remote, change);
    remotes.set(id, remote);
    if (known) remote.wake();
    else void serve(id, remote);
  }

  function forget(id: PeerId, remote: Remote): void {
    remotes.delete(id);
    remote.leaving.abort();
    remote.wake();
  }

  /** Calls a peer until it is forgotten: first for its state vector, then with the changes that it lacks. */
  async function serve(id: PeerId, remote: Remote): Promise<void> {
    const { signal } = remote.leaving;
    while (!signal.aborted) {
      try {
        if (!remote.waiting) await exchangeVectors(id, remote);
        else if (remote.waiting.length > 0) await sendWaiting(id, remote, remote.waiting);
        else await pause(remote);
      } catch (error) {
        if (signal.aborted) return;
        if (isCode(error, gone)) {
          if (!remote.isListed) return forget(id, remote);
          remote.waiting = undefined;
        } else if (!isCode(error, transient)) {
          remote.waiting ??= [];
          onError(error);
          continue;
        }
        await pause(remote, retryMs);
      }
    }
  }

  async function exchangeVectors(id: PeerId, remote: Remote): Promise<void> {
    const { signal } = remote.leaving;
    const target = client.get({ peer: id });
    const vector = await target.call(Sync, Y.encodeStateVector(doc), { signal }).first();
    remote.waiting ??= [Y.encodeStateAsUpdate(doc, vector)];
  }

  async function sendWaiting(id: PeerId, remote: Remote, waiting: Uint8Array[]): Promise<void> {
    const { signal } = remote.leaving;
    const sent = Y.mergeUpdates(waiting);
    remote.waiting = [];
    try {
      const request = sent.length > maxInlineBytes ? new Blob([sent as Uint8Array<ArrayBuffer>]) : sent;
      await client.get({ peer: id }).call(Update, request, { signal }).first();
    } catch (error) {
      if (isCode(error, transient)) remote.waiting.unshift(sent);
      throw error;
    }
  }

  function onUpdate(update: Uint8Array, origin: unknown): void {
    if (origin === provider) return;
    for (const { waiting, wake } of remotes.values()) {
      // If others wait already, the task is in a call, or pauses before another attempt.
      if (waiting?.push(update) === 1) wake();
    }
  }

  const ownState = client.presence<typeof Open>(Open, null, { allow: query });
  const stopAwareness = awareness && shareAwareness(awareness, ownState, others, onError);

  const undo = [
    ownState.stop,
    stopAwareness,
    client.module(
      Sync,
      ({ request, peer }) => {
        note(peer.id, { waiting: [Y.encodeStateAsUpdate(doc, request)] });
        return Y.encodeStateVector(doc);
      },
      { allow: query },
    ),
    client.module(Update, async ({ request, signal }) => Y.applyUpdate(doc, await bytesOf(request, signal), provider), {
      allow: query,
    }),
    others.subscribe((list) => {
      const listed = new Set(list.map(({ peer }) => peer.id));
      for (const [id, remote] of remotes) if (remote.isListed && !listed.has(id)) forget(id, remote);
      for (const id of listed) if (!remotes.get(id)?.isListed) note(id, { isListed: true });
    }),
    () => {
      for (const [id, remote] of remotes) forget(id, remote);
    },
    () => doc.off("update", onUpdate),
    () => doc.off("destroy", destroy),
  ];
  doc.on("update", onUpdate);
  doc.on("destroy", destroy);

  function destroy(): void {
    for (const stop of undo.splice(0)) stop?.();
  }

  const provider = Object.freeze<YjsProvider>({
    peers: selectFrom(others, (list) => list.map(({ peer }) => peer)),
    destroy,
  });
  return provider;
}

async function bytesOf(update: Uint8Array | RemoteFile, signal: AbortSignal): Promise<Uint8Array> {
  if (update instanceof Uint8Array) return update;
  if (update.size > maxUpdateBytes)
    throw new BonevalueError("too-large", `The page accepts updates of at most ${maxUpdateBytes} bytes.`);
  const blob = await update.blob({ signal });
  return new Uint8Array(await blob.arrayBuffer());
}

function isCode(error: unknown, codes: readonly ErrorCode[]): boolean {
  return error instanceof BonevalueError && codes.includes(error.code);
}

/** Resolves when something about the peer has changed, or after `ms`. */
function pause(remote: Remote, ms?: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = ms === undefined ? undefined : setTimeout(done, ms);
    remote.wake = done;
    function done(): void {
      clearTimeout(timer);
      remote.wake = () => {};
      resolve();
    }
  });
}
