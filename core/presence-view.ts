import type { Client } from "./client.ts";
import { systemClock } from "./clock.ts";
import type { Query } from "./peers/query.ts";
import type {
  PeerPresence,
  PresenceDefinition,
  PresenceInput,
  PresenceOfferOptions,
  PresenceOutput,
} from "./presence/definition.ts";
import { createLive, type Live, sameItems, set } from "./reactive.ts";
import { createWeakCache, type WeakCache } from "./weak-cache.ts";

/** The values of other peers. */
export type Others<D> = readonly PeerPresence<PresenceOutput<D>>[];

const views = new WeakMap<Live<any>, Live<any>>();

/**
 * Returns the values of `client.get(query).presence(definition)`, which change at most once per animation frame. Equal
 * arguments return the same object.
 */
export function viewOthers<D extends PresenceDefinition>(client: Client, query: Query, definition: D): Live<Others<D>> {
  const source = client.get(query).presence(definition);
  const view: Live<Others<D>> = views.get(source) ?? createFrameView(source);
  views.set(source, view);
  return view;
}

function createFrameView<T>(source: Live<T>): Live<T> {
  let stop = () => {};
  let isRequested = false;
  const view = createLive(source.peek(), (isWatched) => {
    stop();
    if (!isWatched) return;
    set(view, source.peek());
    stop = source.subscribe(() => {
      if (isRequested || source.peek() === view.peek()) return;
      isRequested = true;
      requestFrame(() => {
        isRequested = false;
        set(view, source.peek());
      });
    });
  });
  return view;
}

function requestFrame(task: () => void): void {
  if (typeof requestAnimationFrame === "function") requestAnimationFrame(task);
  else setTimeout(task, 16);
}

/**
 * Creates a live value that `select` computes from `live`. Subscribers are notified when the result is another value, or a
 * list with other items.
 */
export function selectFrom<T, S>(live: Live<T>, select: (value: T) => S): Live<S> {
  let last: { readonly from: T; readonly selected: S } | undefined;

  function selectNow(from: T): S {
    if (last && last.from === from) return last.selected;
    last = { from, selected: keepSame(last?.selected, select(from)) as S };
    return last.selected;
  }

  const peek = () => selectNow(live.peek());
  return {
    get value() {
      return selectNow(live.value);
    },
    peek,
    subscribe(listener) {
      let emitted: { readonly value: S } | undefined;
      return live.subscribe(() => {
        const value = peek();
        if (emitted && emitted.value === value) return;
        emitted = { value };
        listener(value);
      });
    },
  };
}

/** Returns `before` if it is a list with the items of `next`, else `next`. */
export function keepSame(before: unknown, next: unknown): unknown {
  return Array.isArray(before) && Array.isArray(next) && sameItems(before, next) ? before : next;
}

/** A value of this peer that several views share. */
export interface SharedPresence<T> {
  readonly initial: T;
  /** While it has a subscriber, and 1 s longer, the value is offered. */
  readonly state: Live<T>;
  /** Sets the value, or what `next` makes of the current one. Throws like `set` of `client.presence`. */
  set(next: T | ((current: T) => T)): void;
}

// A view that is replaced mounts again within this time: StrictMode, a route change, a hot reload.
const withdrawMs = 1_000;

const shared = new WeakMap<Client, WeakCache<SharedPresence<any>>>();

/**
 * Returns the value that all views of one name share. The first one decides about the initial value and the options. It is
 * withdrawn 1 s after the last view has unsubscribed.
 */
export function sharePresence<D extends PresenceDefinition>(
  client: Client,
  definition: D,
  initial: PresenceInput<D>,
  options?: PresenceOfferOptions,
): SharedPresence<PresenceInput<D>> {
  const ofClient = shared.get(client) ?? createWeakCache<SharedPresence<any>>();
  shared.set(client, ofClient);
  const { name } = definition;
  return ofClient.get(name, (hold) => {
    let offer: ReturnType<Client["presence"]> | undefined;
    let undoWithdrawal = () => {};
    const state = createLive(initial, (isWatched) => {
      undoWithdrawal();
      if (!isWatched) undoWithdrawal = systemClock.after(withdrawMs, withdraw);
      else {
        offer ??= client.presence(definition, state.peek(), options);
        hold(true);
      }
    });

    function withdraw(): void {
      offer?.stop();
      offer = undefined;
      hold(false);
      ofClient.remove(name);
    }

    return {
      initial,
      state,
      set(next) {
        const value = typeof next === "function" ? next(state.peek()) : next;
        offer?.set(value);
        set(state, value);
      },
    };
  });
}
