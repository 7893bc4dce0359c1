/** One object for each key, the same for as long as somebody holds it. */
export interface WeakCache<V extends object> {
  /** The object of `key`; `make` makes it if nobody holds one. `hold` keeps it while nobody else does. */
  get(key: string, make: (hold: (held: boolean) => void) => V): V;
}

/** A cache that keeps nothing alive, but for what it is told to hold. */
export function createWeakCache<V extends object>(): WeakCache<V> {
  const refs = new Map<string, WeakRef<V>>();
  const held = new Set<V>();
  const forget = new FinalizationRegistry<string>((key) => {
    if (!refs.get(key)?.deref()) refs.delete(key);
  });
  return {
    get(key, make) {
      const there = refs.get(key)?.deref();
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
