import { onMount } from "svelte";
import type { Writable } from "svelte/store";
import type {
  PeerId,
  PeerPresence,
  PresenceDefinition,
  PresenceInput,
  PresenceOfferOptions,
  PresenceOutput,
  Query,
} from "../../core/index.ts";
import { type Others, selectFrom, sharePresence, viewOthers } from "../../core/internal.ts";
import { getClient } from "./client.ts";
import { type Current, follow, getValue, type MaybeGetter } from "./current.ts";

/** The result of {@link usePresence}: `x.current` with runes, `$x` as a store, to read and to set. */
export interface UsePresence<T> extends Writable<T> {
  /** The value of this peer. Assign a new one to send it. */
  current: T;
}

/**
 * The value of this peer. Assign a new value; changes inside it have no effect. All components share one value for each
 * name: the first initial value and options count. It is withdrawn 1 s after the last of them is destroyed.
 *
 * @example
 * const cursor = usePresence(Cursor, { x: 0, y: 0 });
 * // <svelte:window onpointermove={({ clientX: x, clientY: y }) => (cursor.current = { x, y })} />
 */
export function usePresence<D extends PresenceDefinition>(
  definition: D,
  initial: PresenceInput<D>,
  options?: PresenceOfferOptions,
): UsePresence<PresenceInput<D>> {
  const { state, set } = sharePresence(getClient(), definition, initial, options);
  const shown = follow(() => state);
  // Offers the value even if nothing reads it.
  onMount(() => state.subscribe(() => {}));
  const assign = (value: PresenceInput<D>) => set(() => value);
  return {
    get current() {
      return shown.current;
    },
    set current(value) {
      assign(value);
    },
    subscribe: shown.subscribe,
    set: assign,
    update: (updater) => set(updater),
  };
}

/**
 * The values of the peers that `query` matches (default: all), at most once per animation frame. Pass a function if the query
 * changes. With `select`, returns its result instead. Effects then rerun only when the result is another value, or a list with other items.
 */
export function useOthers<D extends PresenceDefinition>(
  definition: D,
  ...args: [] | [query: MaybeGetter<Query>]
): Current<Others<D>>;
export function useOthers<D extends PresenceDefinition, S>(
  definition: D,
  query: MaybeGetter<Query>,
  select: (others: Others<D>) => S,
): Current<S>;
export function useOthers(
  definition: PresenceDefinition,
  query: MaybeGetter<Query> = "*",
  select: (others: Others<PresenceDefinition>) => unknown = asIs,
): Current<unknown> {
  const client = getClient();
  let last: { readonly view: unknown; readonly selected: ReturnType<typeof selectFrom> } | undefined;
  return follow(() => {
    const view = viewOthers(client, getValue(query), definition);
    if (last?.view !== view) last = { view, selected: selectFrom(view, select) };
    return last.selected;
  });
}

/** The value of one peer. Pass a function if the id changes. With `select`, returns its result instead. */
export function useOther<D extends PresenceDefinition>(
  definition: D,
  peer: MaybeGetter<PeerId>,
): Current<PeerPresence<PresenceOutput<D>> | undefined>;
export function useOther<D extends PresenceDefinition, S>(
  definition: D,
  peer: MaybeGetter<PeerId>,
  select: (other: PeerPresence<PresenceOutput<D>>) => S,
): Current<S | undefined>;
export function useOther(
  definition: PresenceDefinition,
  peer: MaybeGetter<PeerId>,
  select: (other: PeerPresence<unknown>) => unknown = asIs,
): Current<unknown> {
  const queryOf = () => ({ peer: getValue(peer) });
  return useOthers(definition, queryOf, ([other]) => other && select(other));
}

function asIs<T>(value: T): T {
  return value;
}
