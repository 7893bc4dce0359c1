import { batch as batchSignals, computed, effect, type Signal, signal } from "@preact/signals-core";
import { requireFunction } from "./check-arguments.ts";
import { guard } from "./events.ts";

/** A value that changes. `subscribe` calls the listener at once with the current value. Signals have this interface. */
export interface Live<T> {
  /** The current value. Inside of a computation it is also a dependency. */
  readonly value: T;
  /** The current value, without a dependency. */
  peek(): T;
  /** Calls `listener` at once and after each change. Returns the function that unsubscribes. */
  subscribe(listener: (value: T) => void): () => void;
}

/** Called when a value gets its first subscriber (`true`) and loses its last (`false`). */
export type OnWatched = (watched: boolean) => void;

// The signal of each Live. It is not a property, so that only importers of `set` can change the value.
const sources = new WeakMap<object, Signal<unknown>>();

/** Creates a value that {@link set} changes. */
export function createLive<T>(initial: T, onWatched?: OnWatched): Live<T> {
  const source = signal(initial, { watched: () => onWatched?.(true), unwatched: () => onWatched?.(false) });
  const live: Live<T> = Object.freeze({
    get value() {
      return source.value;
    },
    peek: () => source.peek(),
    subscribe(listener: (value: T) => void) {
      requireFunction(listener, "A listener");
      return source.subscribe((value) => guard(() => listener(value)));
    },
  });
  sources.set(live, source as Signal<unknown>);
  return live;
}

/** Changes a value of {@link createLive}. Its subscribers run before this returns, unless the value is the same. */
export function set<T>(live: Live<T>, value: T): void {
  sources.get(live)!.value = value;
}

/** Runs several changes. Subscribers run once, after all of them. */
export function batch(changes: () => void): void {
  batchSignals(changes);
}

/**
 * Creates a live list. `build` runs when the list is read after one of `topics` was invalidated. The list is frozen and
 * keeps its identity while its items are the same. Subscribers run once per turn of the event loop, so a burst of changes
 * costs one copy.
 */
export function createLiveList<T>(build: () => readonly T[], topics: readonly Live<unknown>[]): Live<readonly T[]> {
  const follow = () => {
    for (const topic of topics) topic.value;
  };
  let last: readonly T[] = Object.freeze([]);
  const list = computed(() => {
    follow();
    const next = build();
    if (!sameItems(last, next)) last = Object.freeze([...next]);
    return last;
  });
  const live: Live<readonly T[]> = Object.freeze({
    get value() {
      return list.value;
    },
    peek: () => list.peek(),
    subscribe(listener: (value: readonly T[]) => void) {
      requireFunction(listener, "A listener");
      let emitted: readonly T[] | undefined;
      let stopped = false;
      const emit = () => {
        // Reads `live`, so that a subscription keeps it alive and equal queries find it.
        const next = live.peek();
        if (stopped || next === emitted) return;
        emitted = next;
        guard(() => listener(next));
      };
      const stop = oncePerTurn(follow, emit);
      emit();
      return () => {
        stopped = true;
        stop();
      };
    },
  });
  return live;
}

/** Creates a topic. {@link invalidate} makes the lists that follow it rebuild. */
export function createTopic(onWatched?: OnWatched): Live<unknown> {
  return createLive<unknown>({}, onWatched);
}

/** Marks the lists that follow `topic` as changed. */
export function invalidate(topic: Live<unknown>): void {
  set(topic, {});
}

/** Runs `task` in a microtask, once for all changes of the values that `follow` reads. */
function oncePerTurn(follow: () => void, task: () => void): () => void {
  let isQueued = true;
  const stop = effect(() => {
    follow();
    if (isQueued) return;
    isQueued = true;
    queueMicrotask(() => {
      isQueued = false;
      task();
    });
  });
  isQueued = false;
  return stop;
}

/** Whether two lists have the same items in the same order. */
export function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
