import { computed, effect, type Signal, type SignalOptions, signal } from "@preact/signals-core";
import { guard } from "./events.ts";

/** A value that changes. Signals satisfy it; `subscribe` calls at once with the present value. */
export interface Live<T> {
  readonly value: T;
  peek(): T;
  subscribe(listener: (value: T) => void): () => void;
}

/** Called when a value gets its first subscriber (`true`) and loses its last (`false`). */
export type OnWatched = (watched: boolean) => void;

// What stands behind each Live. Whoever can import `write` and `touch` may change it; whoever only holds it may not.
const sources = new WeakMap<object, Signal<unknown>>();

/** A value that {@link write} changes. */
export function createLive<T>(initial: T, onWatched?: OnWatched): Live<T> {
  const source = signal(initial, watching<T>(onWatched));
  const live: Live<T> = Object.freeze({
    get value() {
      return source.value;
    },
    peek: () => source.peek(),
    subscribe: (listener: (value: T) => void) => source.subscribe((value) => guard(() => listener(value))),
  });
  sources.set(live, source as Signal<unknown>);
  return live;
}

/** Changes a value of {@link createLive}; subscribers hear of it before this returns, unless it is the one already there. */
export function write<T>(live: Live<T>, value: T): void {
  sources.get(live)!.value = value;
}

/**
 * A frozen list that `build` makes when somebody reads it after a {@link touch}. It keeps its identity while its items
 * are the same; subscribers hear once of all that happens in a turn, so that a burst costs one copy.
 */
export function createLiveList<T>(build: () => readonly T[], onWatched?: OnWatched): Live<readonly T[]> {
  const version = signal(0, watching<number>(onWatched));
  let last: readonly T[] = Object.freeze([]);
  const list = computed(() => {
    version.value;
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
      let told: readonly T[] | undefined;
      let stopped = false;
      const tell = () => {
        const next = list.peek();
        if (stopped || next === told) return;
        told = next;
        guard(() => listener(next));
      };
      const stop = oncePerTurn(version, tell);
      tell();
      return () => {
        stopped = true;
        stop();
      };
    },
  });
  sources.set(live, version as Signal<unknown>);
  return live;
}

/** Says that a list of {@link createLiveList} may have changed. */
export function touch(list: Live<readonly unknown[]>): void {
  (sources.get(list) as Signal<number>).value++;
}

/** Runs `task` in a microtask after `version` has changed, however often it did. */
function oncePerTurn(version: Signal<number>, task: () => void): () => void {
  let waiting = true;
  const stop = effect(() => {
    version.value;
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

function watching<T>(onWatched?: OnWatched): SignalOptions<T> | undefined {
  return onWatched && { watched: () => onWatched(true), unwatched: () => onWatched(false) };
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
