import { BonevalueError, type Client, defineModule, type Peer, type PeerId } from "bonevalue";
import * as v from "valibot";
import * as Y from "yjs";

/** Keeps a document alike on all peers that have one for the same room. */
export interface YjsProvider {
  /** Stops: the document stays as it is, and what is changed here from now on stays here. */
  destroy(): void;
}

/** What the provider of a room takes beside it. */
export interface YjsProviderOptions {
  /** Told what a second attempt would not mend. Default: it is logged. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Between two attempts to bring a peer up to date, in ms. */
const pause = 1_000;

const bytes = v.custom<Uint8Array>((value) => value instanceof Uint8Array);

/**
 * Brings every peer that appears up to date, in both directions, and tells all of each change. A change that did not
 * arrive is made good as soon as the peer can be reached again. The whole document must fit the client's
 * `limits.messageSize`.
 *
 * @example
 * const doc = new Y.Doc();
 * const provider = createYjsProvider(client, doc, "notes");
 */
export function createYjsProvider(
  client: Client,
  doc: Y.Doc,
  room: string,
  { onError = console.error }: YjsProviderOptions = {},
): YjsProvider {
  const Sync = defineModule(`Yjs.Sync:${room}`, {
    request: bytes,
    response: v.object({ missing: bytes, vector: bytes }),
  });
  const Change = defineModule(`Yjs.Change:${room}`, { request: bytes });
  const present = new Map<PeerId, AbortSignal>();
  const behind = new Set<PeerId>();

  function apply(change: Uint8Array): void {
    Y.applyUpdate(doc, change, client);
  }

  /** What each has and the other has not goes over. */
  async function exchange(peer: Peer, signal: AbortSignal): Promise<void> {
    const target = client.get({ peer: peer.id });
    const { missing, vector } = await target.call(Sync, Y.encodeStateVector(doc), { signal }).first();
    apply(missing);
    await target.call(Change, Y.encodeStateAsUpdate(doc, vector), { signal }).first();
  }

  async function bringUpToDate(peer: Peer, signal: AbortSignal): Promise<void> {
    if (behind.has(peer.id)) return;
    behind.add(peer.id);
    while (!signal.aborted) {
      try {
        await exchange(peer, signal);
        break;
      } catch (error) {
        if (!isPassing(error)) {
          // A peer that has no such room comes to us when it opens one.
          if (!signal.aborted && !isCode(error, "unknown-module")) onError(error);
          break;
        }
        await elapsed(pause, signal);
      }
    }
    behind.delete(peer.id);
  }

  async function tell(change: Uint8Array, origin: unknown): Promise<void> {
    if (origin === client) return;
    for await (const { peer, error } of client.get("*").call(Change, change)) {
      const signal = present.get(peer.id);
      if (error && signal && !isCode(error, "unknown-module")) void bringUpToDate(peer, signal);
    }
  }

  const undo = [
    client.module(Sync, ({ request }) => ({
      missing: Y.encodeStateAsUpdate(doc, request),
      vector: Y.encodeStateVector(doc),
    })),
    client.module(Change, ({ request }) => apply(request)),
    client.get("*").each((peer, signal) => {
      present.set(peer.id, signal);
      signal.addEventListener("abort", () => present.delete(peer.id));
      return bringUpToDate(peer, signal);
    }),
    () => doc.off("update", tell),
  ];
  doc.on("update", tell);

  return { destroy: () => undo.forEach((stop) => void stop()) };
}

function isCode(error: unknown, ...codes: readonly BonevalueError["code"][]): boolean {
  return error instanceof BonevalueError && codes.includes(error.code);
}

/** Whether another attempt may go better. */
function isPassing(error: unknown): boolean {
  return isCode(error, "link-failed", "disconnected", "timeout", "busy", "rate-limited");
}

/** Resolves after `delay` ms, or as soon as `signal` aborts. */
function elapsed(delay: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, delay);
    signal.addEventListener("abort", done);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
