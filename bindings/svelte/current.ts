import { createSubscriber } from "svelte/reactivity";
import { type Readable, toStore } from "svelte/store";
import type { Live } from "../../core/index.ts";

/** A value that changes: `x.current` with runes, `$x` as a store. Watched only while somebody looks. */
export interface Current<T> extends Readable<T> {
  readonly current: T;
}

/** What `read` gives, as runes and as a store. */
export function currentOf<T>(read: () => T): Current<T> {
  const { subscribe } = toStore(read);
  return {
    get current() {
      return read();
    },
    subscribe,
  };
}

/** The present value of whatever `live` gives, which may depend on runes. */
export function follow<T>(live: () => Live<T>): Current<T> {
  let followed: Live<T> | undefined;
  let watch = () => {};
  return currentOf(() => {
    const now = live();
    if (now !== followed) watch = watcherOf(now);
    followed = now;
    watch();
    return now.peek();
  });
}

/** Makes the effect that calls it run again when `live` changes. */
function watcherOf(live: Live<unknown>): () => void {
  return createSubscriber((update) => {
    let told = false;
    const stop = live.subscribe(() => told && update());
    told = true;
    return stop;
  });
}

/** A value, or a function that gives it and may depend on runes. */
export type MaybeGetter<T> = T | (() => T);

/** What is meant by a {@link MaybeGetter}. */
export function given<T extends string | object>(value: MaybeGetter<T>): T {
  return typeof value === "function" ? value() : value;
}
