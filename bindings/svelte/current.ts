import { createSubscriber } from "svelte/reactivity";
import { type Readable, toStore } from "svelte/store";
import type { Live } from "../../core/index.ts";

/** A reactive value: `x.current` with runes, `$x` as a store. It is subscribed only while an effect or a store subscriber reads it. */
export interface Current<T> extends Readable<T> {
  /** The value now. */
  readonly current: T;
}

/** Makes a {@link Current} from a function that reads runes. */
export function toCurrent<T>(read: () => T): Current<T> {
  const { subscribe } = toStore(read);
  return {
    get current() {
      return read();
    },
    subscribe,
  };
}

/** Makes a {@link Current} from the `Live` that `live` returns. `live` may depend on runes. */
export function follow<T>(live: () => Live<T>): Current<T> {
  let followed: Live<T> | undefined;
  let watch = () => {};
  return toCurrent(() => {
    const now = live();
    if (now !== followed) watch = createWatcher(now);
    followed = now;
    watch();
    return now.peek();
  });
}

/** Returns a function that makes the calling effect rerun when `live` changes. */
function createWatcher(live: Live<unknown>): () => void {
  return createSubscriber((update) => {
    // `subscribe` calls its listener at once; only later calls are changes.
    let subscribed = false;
    const stop = live.subscribe(() => subscribed && update());
    subscribed = true;
    return stop;
  });
}

/** A value, or a function that returns it and may depend on runes. */
export type MaybeGetter<T> = T | (() => T);

/** Resolves a {@link MaybeGetter}. */
export function getValue<T extends string | object | boolean>(value: MaybeGetter<T>): T {
  return typeof value === "function" ? value() : value;
}
