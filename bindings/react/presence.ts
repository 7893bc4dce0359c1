import { useMemo, useSyncExternalStore } from "react";
import type {
  PeerId,
  PeerPresence,
  PresenceDefinition,
  PresenceInput,
  PresenceOfferOptions,
  PresenceOutput,
  Query,
} from "../../core/index.ts";
import { type Others, type SharedPresence, selectFrom, sharePresence, viewOthers } from "../../core/internal.ts";
import { useLive } from "./live.ts";
import { useClient } from "./provider.ts";

const noOthers: readonly never[] = Object.freeze([]);

/**
 * The value of this peer and the function that sets it, which is stable and also accepts an update function. All components
 * share one value for each name: the first initial value and options count. It is withdrawn 1 s after the last of them unmounts.
 *
 * @example
 * const [cursor, setCursor] = usePresence(Cursor, { x: 0, y: 0 });
 * <div onPointerMove={({ clientX: x, clientY: y }) => setCursor({ x, y })} />
 */
export function usePresence<D extends PresenceDefinition>(
  definition: D,
  initial: PresenceInput<D>,
  options?: PresenceOfferOptions,
): readonly [value: PresenceInput<D>, set: SharedPresence<PresenceInput<D>>["set"]] {
  const shared = sharePresence(useClient(), definition, initial, options);
  return [useLive(shared.state, shared.initial), shared.set];
}

/**
 * The values of the peers that `query` matches (default: all), at most once per animation frame. With `select`, returns its
 * result instead. The component then renders only when the result is another value, or a list with other items.
 */
export function useOthers<D extends PresenceDefinition>(definition: D, ...args: [] | [query: Query]): Others<D>;
export function useOthers<D extends PresenceDefinition, S>(
  definition: D,
  query: Query,
  select: (others: Others<D>) => S,
): S;
export function useOthers(
  definition: PresenceDefinition,
  query: Query = "*",
  select: (others: Others<PresenceDefinition>) => unknown = asIs,
): unknown {
  const view = viewOthers(useClient(), query, definition);
  const selected = useMemo(() => selectFrom(view, select), [view, select]);
  // An inline `select` creates a new selection in each render. The view's `subscribe` is stable, so React does not resubscribe.
  return useSyncExternalStore(view.subscribe, selected.peek, () => select(noOthers));
}

/** The value of one peer. With `select`, returns its result instead. Values of other peers do not render the component. */
export function useOther<D extends PresenceDefinition>(
  definition: D,
  peer: PeerId,
): PeerPresence<PresenceOutput<D>> | undefined;
export function useOther<D extends PresenceDefinition, S>(
  definition: D,
  peer: PeerId,
  select: (other: PeerPresence<PresenceOutput<D>>) => S,
): S | undefined;
export function useOther(
  definition: PresenceDefinition,
  peer: PeerId,
  select: (other: PeerPresence<unknown>) => unknown = asIs,
): unknown {
  return useOthers(definition, { peer }, ([other]) => other && select(other));
}

function asIs<T>(value: T): T {
  return value;
}
