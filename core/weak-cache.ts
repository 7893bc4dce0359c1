/** One object for each key, the same for as long as somebody holds it. */
export interface WeakCache<V extends object> {
  /** The object of `key`; `make` makes it if nobody holds one. `hold` keeps it while nobody else does. */
  get(key: string, make: (hold: (held: boolean) => void) => V): V;
  /** The object of `key`, if somebody holds one. */
  find(key: string): V | undefined;
}

/** A cache that keeps nothing alive, but for what it is told to hold. */
export function createWeakCache<V extends object>(): WeakCache<V> {
  const refs = new Map<string, WeakRef<V>>();
  const held = new Set<V>();
  const find = (key: string) => refs.get(key)?.deref();
  const forget = new FinalizationRegistry<string>((key) => {
    if (!find(key)) refs.delete(key);
  });
  return {
    find,
    get(key, make) {
      const there = find(key);
      if (there) return there;
      const made: V = make((on) => {
        if (on) held.add(made);
        else held.delete(made);
      });
      refs.set(key, new WeakRef(made));
      forget.register(made, key);
      return made;
    },
  };
}
