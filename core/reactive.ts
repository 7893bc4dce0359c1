import { batch as batchSignals, computed, effect, type Signal, signal } from "@preact/signals-core";
import { requireFunction } from "./check-arguments.ts";
import { guard } from "./events.ts";

/** A value that changes. Signals satisfy it; `subscribe` calls at once with the present value. */
export interface Live<T> {
  readonly value: T;
  peek(): T;
  subscribe(listener: (value: T) => void): () => void;
}

/** Called when a value gets its first subscriber (`true`) and loses its last (`false`). */
export type OnWatched = (watched: boolean) => void;

// What stands behind each Live. Whoever can import `write` may change it; whoever only holds it may not.
const sources = new WeakMap<object, Signal<unknown>>();

/** A value that {@link set} changes. */
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

/** Changes a value of {@link createLive}; subscribers hear of it before this returns, unless it is the one already there. */
export function set<T>(live: Live<T>, value: T): void {
  sources.get(live)!.value = value;
}

/** Makes several changes as one: subscribers hear of each when all are made. */
export function batch(changes: () => void): void {
  batchSignals(changes);
}

/**
 * A frozen list that `build` makes when somebody reads it after one of `topics` was touched. It keeps its identity while
 * its items are the same; subscribers hear once of all that happens in a turn, so that a burst costs one copy.
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
      let told: readonly T[] | undefined;
      let stopped = false;
      const tell = () => {
        // Through `live`, which whoever listens thus holds: equal queries find it.
        const next = live.peek();
        if (stopped || next === told) return;
        told = next;
        guard(() => listener(next));
      };
      const stop = oncePerTurn(follow, tell);
      tell();
      return () => {
        stopped = true;
        stop();
      };
    },
  });
  return live;
}

/** Something that lists of {@link createLiveList} follow, until it is {@link invalidate}ed. */
export function createTopic(onWatched?: OnWatched): Live<unknown> {
  return createLive<unknown>({}, onWatched);
}

/** Says that the lists that follow `topic` may have changed. */
export function invalidate(topic: Live<unknown>): void {
  set(topic, {});
}

/** Runs `task` in a microtask after what `follow` reads has changed, however often it did. */
function oncePerTurn(follow: () => void, task: () => void): () => void {
  let waiting = true;
  const stop = effect(() => {
    follow();
    if (waiting) return;
    waiting = true;
    queueMicrotask(() => {
      waiting = false;
      task();
    });
  });
  waiting = false;
  return stop;
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
