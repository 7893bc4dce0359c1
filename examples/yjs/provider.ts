import { BonevalueError, type Client, defineModule, type Peer, type PeerId } from "bonevalue";
import * as v from "valibot";
import * as Y from "yjs";

/** Synchronizes a document between all peers with the same room name. */
export interface YjsProvider {
  /** Stops the synchronization. The document keeps its content. */
  destroy(): void;
}

/** Options of {@link createYjsProvider}. */
export interface YjsProviderOptions {
  /** Called with errors that another attempt cannot fix. Default: `console.error`. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** The time between two attempts to synchronize a peer. */
const retryDelayMs = 1_000;

const bytes = v.custom<Uint8Array>((value) => value instanceof Uint8Array);

/**
 * Synchronizes with every peer that comes online, and sends each change to all. If a change does not arrive, it synchronizes
 * again as soon as the peer is reachable. The whole document must fit within the client's `limits.messageSize`.
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
  const syncing = new Set<PeerId>();

  function apply(change: Uint8Array): void {
    Y.applyUpdate(doc, change, client);
  }

  /** Sends and receives missing changes. */
  async function exchange(peer: Peer, signal: AbortSignal): Promise<void> {
    const target = client.get({ peer: peer.id });
    const { missing, vector } = await target.call(Sync, Y.encodeStateVector(doc), { signal }).first();
    apply(missing);
    await target.call(Change, Y.encodeStateAsUpdate(doc, vector), { signal }).first();
  }

  async function synchronize(peer: Peer, signal: AbortSignal): Promise<void> {
    if (syncing.has(peer.id)) return;
    syncing.add(peer.id);
    while (!signal.aborted) {
      try {
        await exchange(peer, signal);
        break;
      } catch (error) {
        if (!isTransient(error)) {
          // A peer without this room synchronizes when it opens the room.
          if (!signal.aborted && !isCode(error, "unknown-module")) onError(error);
          break;
        }
        await waitFor(retryDelayMs, signal);
      }
    }
    syncing.delete(peer.id);
  }

  async function sendChange(change: Uint8Array, origin: unknown): Promise<void> {
    if (origin === client) return;
    for await (const { peer, error } of client.get("*").call(Change, change)) {
      const signal = present.get(peer.id);
      if (error && signal && !isCode(error, "unknown-module")) void synchronize(peer, signal);
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
      return synchronize(peer, signal);
    }),
    () => doc.off("update", sendChange),
  ];
  doc.on("update", sendChange);

  return { destroy: () => undo.forEach((stop) => void stop()) };
}

function isCode(error: unknown, ...codes: readonly BonevalueError["code"][]): boolean {
  return error instanceof BonevalueError && codes.includes(error.code);
}

/** Whether another attempt may succeed. */
function isTransient(error: unknown): boolean {
  return isCode(error, "link-failed", "disconnected", "timeout", "busy", "rate-limited");
}

/** Resolves after `delay` ms, or as soon as `signal` aborts. */
function waitFor(delay: number, signal: AbortSignal): Promise<void> {
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
