/** One object for each key, the same for as long as somebody holds it. */
export interface WeakCache<V extends object> {
  /** The object of `key`, made if nobody holds one. */
  get(key: string): V;
  /** The object of `key`, if somebody holds one. */
  peek(key: string): V | undefined;
}

/**
 * A {@link WeakCache} whose objects `make` makes. `hold` keeps an object while nobody else does: for one that somebody
 * listens to.
 */
export function createWeakCache<V extends object>(
  make: (key: string, hold: (held: boolean) => void) => V,
): WeakCache<V> {
  const refs = new Map<string, WeakRef<V>>();
  const held = new Set<V>();
  const forget = new FinalizationRegistry<string>((key) => {
    if (!refs.get(key)?.deref()) refs.delete(key);
  });
  const peek = (key: string) => refs.get(key)?.deref();
  return {
    peek,
    get(key) {
      const there = peek(key);
      if (there) return there;
      const made: V = make(key, (on) => {
        if (on) held.add(made);
        else held.delete(made);
      });
      refs.set(key, new WeakRef(made));
      forget.register(made, key);
      return made;
    },
  };
}
