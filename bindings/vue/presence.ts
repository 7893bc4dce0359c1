import {
  computed,
  getCurrentInstance,
  type MaybeRefOrGetter,
  type Ref,
  type ShallowRef,
  shallowRef,
  toValue,
  type WritableComputedRef,
  watchPostEffect,
} from "vue";
import type {
  Live,
  PeerId,
  PeerPresence,
  PresenceDefinition,
  PresenceInput,
  PresenceOfferOptions,
  PresenceOutput,
  Query,
} from "../../core/index.ts";
import { keepSame, type Others, sharePresence, viewOthers } from "../../core/internal.ts";
import { useClient } from "./client.ts";

const noOthers: readonly never[] = Object.freeze([]);

/** Follows the `Live` that `live` returns from mount until the scope ends. Before, and on a server, the value is `initial`. */
function useMounted<T>(live: () => Live<T>, initial: T): Readonly<ShallowRef<T>> {
  const current = shallowRef(initial) as ShallowRef<T>;
  watchPostEffect((onCleanup) => {
    const stop = live().subscribe((value) => {
      current.value = value;
    });
    onCleanup(stop);
  });
  return current;
}

/**
 * The value of this peer, as a ref to read and to set. Assign a new value; changes inside it have no effect. All
 * components share one value for each name: the first initial value and options count. It is withdrawn 1 s after the last
 * scope ends.
 *
 * @example
 * const cursor = usePresence(Cursor, { x: 0, y: 0 });
 * // <div @pointermove="({ clientX: x, clientY: y }) => (cursor = { x, y })"></div>
 */
export function usePresence<D extends PresenceDefinition>(
  definition: D,
  initial: PresenceInput<D>,
  options?: PresenceOfferOptions,
): WritableComputedRef<PresenceInput<D>> {
  const shared = sharePresence(useClient(), definition, initial, options);
  const isHydrating = getCurrentInstance()?.vnode.el;
  const current = useMounted(() => shared.state, isHydrating ? shared.initial : shared.state.peek());
  return computed({ get: () => current.value, set: (value) => shared.set(() => value) });
}

/**
 * The values of the peers that `query` matches (default: all), at most once per animation frame. With `select`, its result
 * instead. `select` may read refs.
 */
export function useOthers<D extends PresenceDefinition>(
  definition: D,
  ...args: [] | [query: MaybeRefOrGetter<Query>]
): Readonly<Ref<Others<D>>>;
export function useOthers<D extends PresenceDefinition, S>(
  definition: D,
  query: MaybeRefOrGetter<Query>,
  select: (others: Others<D>) => S,
): Readonly<Ref<S>>;
export function useOthers(
  definition: PresenceDefinition,
  query: MaybeRefOrGetter<Query> = "*",
  select: (others: Others<PresenceDefinition>) => unknown = asIs,
): Readonly<Ref<unknown>> {
  const client = useClient();
  const others = useMounted(() => viewOthers(client, toValue(query), definition), noOthers);
  return computed((before) => keepSame(before, select(others.value)));
}

/** The value of one peer. With `select`, its result instead. */
export function useOther<D extends PresenceDefinition>(
  definition: D,
  peer: MaybeRefOrGetter<PeerId>,
): Readonly<Ref<PeerPresence<PresenceOutput<D>> | undefined>>;
export function useOther<D extends PresenceDefinition, S>(
  definition: D,
  peer: MaybeRefOrGetter<PeerId>,
  select: (other: PeerPresence<PresenceOutput<D>>) => S,
): Readonly<Ref<S | undefined>>;
export function useOther(
  definition: PresenceDefinition,
  peer: MaybeRefOrGetter<PeerId>,
  select: (other: PeerPresence<unknown>) => unknown = asIs,
): Readonly<Ref<unknown>> {
  const queryOf = () => ({ peer: toValue(peer) });
  return useOthers(definition, queryOf, ([other]) => other && select(other));
}

function asIs<T>(value: T): T {
  return value;
}
