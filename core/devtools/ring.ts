/** The newest entries of a list. */
export interface Ring<T> {
  readonly size: number;
  add(entry: T): void;
  clear(): void;
  newestFirst(): T[];
}

/** How many entries of each kind the inspector keeps. */
export const maxEntries = 500;

/** Creates a ring that keeps the last {@link maxEntries} entries. */
export function createRing<T>(): Ring<T> {
  const entries: T[] = [];
  let next = 0;
  return {
    get size() {
      return entries.length;
    },
    add(entry) {
      entries[next] = entry;
      next = (next + 1) % maxEntries;
    },
    clear() {
      entries.length = 0;
      next = 0;
    },
    newestFirst: () => [...entries.slice(0, next).reverse(), ...entries.slice(next).reverse()],
  };
}

/** The newest entries by key. */
export interface KeyedRing<Key, T> extends Omit<Ring<T>, "add"> {
  get(key: Key): T | undefined;
  /** Sets the entry of a key, which becomes the newest. */
  set(key: Key, entry: T): void;
  delete(key: Key): void;
}

/** Creates a ring by key that keeps the last {@link maxEntries} entries. */
export function createKeyedRing<Key, T>(): KeyedRing<Key, T> {
  const entries = new Map<Key, T>();
  return {
    get size() {
      return entries.size;
    },
    get: (key) => entries.get(key),
    set(key, entry) {
      entries.delete(key);
      entries.set(key, entry);
      if (entries.size > maxEntries) entries.delete(entries.keys().next().value!);
    },
    delete: (key) => void entries.delete(key),
    clear: () => entries.clear(),
    newestFirst: () => [...entries.values()].reverse(),
  };
}
