import * as v from "valibot";
import {
  type Awareness,
  applyAwarenessUpdate,
  encodeAwarenessUpdate,
  removeAwarenessStates,
} from "y-protocols/awareness";
import type { Live, OwnPresence, PeerId, PeerPresence } from "../../core/index.ts";

/** The awareness state of one document. */
export interface AwarenessState {
  readonly client: number;
  readonly clock: number;
  /** JSON, as in the protocol of Yjs. Editors store objects with a `toJSON` method in it. */
  readonly state: string;
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Validates an {@link AwarenessState}. */
export const awarenessState: v.GenericSchema<AwarenessState> = v.object({
  client: count,
  clock: count,
  state: v.pipe(v.string(), v.check(isJsonObject, "Expected the JSON of an object.")),
});

/** Copies the states of other peers into `awareness`, and offers its local state to them. Returns the undo, which also removes their states. */
export function shareAwareness(
  awareness: Awareness,
  own: Pick<OwnPresence<AwarenessState | null>, "set">,
  others: Live<readonly PeerPresence<AwarenessState | null>[]>,
  onError: (error: unknown) => void,
): () => void {
  const shown = new Map<PeerId, AwarenessState>();

  function attempt(change: () => void): void {
    try {
      change();
    } catch (error) {
      onError(error);
    }
  }

  function publish(): void {
    const state = awareness.getLocalState();
    const client = awareness.clientID;
    // Clocks begin at 1, because an Awareness rejects the state of an unknown client with clock 0.
    const clock = awareness.meta.get(client)!.clock + 1;
    attempt(() => own.set(state && { client, clock, state: JSON.stringify(state) }));
  }

  function onUpdate({ added, updated, removed }: Record<"added" | "updated" | "removed", readonly number[]>): void {
    if ([added, updated, removed].some((clients) => clients.includes(awareness.clientID))) publish();
  }

  function show(peer: PeerId, next: AwarenessState): void {
    shown.set(peer, next);
    const { client, clock, state } = next;
    // Only this page sets its local state.
    if (client === awareness.clientID) return;
    const update = { meta: new Map([[client, { clock }]]), states: new Map([[client, JSON.parse(state)]]) };
    applyAwarenessUpdate(awareness, encodeAwarenessUpdate(update as unknown as Awareness, [client]), own);
  }

  function hide(peer: PeerId, { client }: AwarenessState): void {
    shown.delete(peer);
    if (client === awareness.clientID) return;
    removeAwarenessStates(awareness, [client], own);
    // Otherwise the Awareness would ignore the same state when the peer returns.
    awareness.meta.delete(client);
  }

  const stop = others.subscribe((list) => {
    const values = new Map(list.map(({ peer, value }) => [peer.id, value]));
    for (const [peer, before] of shown) {
      if (values.get(peer)?.client !== before.client) attempt(() => hide(peer, before));
    }
    for (const [peer, value] of values) if (value && value !== shown.get(peer)) attempt(() => show(peer, value));
  });
  awareness.on("update", onUpdate);
  publish();

  return () => {
    awareness.off("update", onUpdate);
    stop();
    for (const [peer, state] of shown) attempt(() => hide(peer, state));
  };
}

function isJsonObject(text: string): boolean {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null;
  } catch {
    return false;
  }
}
