/** A cache that returns the same object for a key as long as something references it. */
export interface WeakCache<V extends object> {
  /** Returns the object of `key`, or creates it. `make` can call `hold` to keep the object without other references. */
  get(key: string, make: (hold: (held: boolean) => void) => V): V;
  /** Returns the object of `key`, if it exists. */
  find(key: string): V | undefined;
  /** Forgets the object of `key`: `get` creates another one. */
  remove(key: string): void;
}

/** Creates an empty cache with weak references. */
export function createWeakCache<V extends object>(): WeakCache<V> {
  const refs = new Map<string, WeakRef<V>>();
  const held = new Set<V>();
  const find = (key: string) => refs.get(key)?.deref();
  const registry = new FinalizationRegistry<string>((key) => {
    if (!find(key)) refs.delete(key);
  });
  return {
    find,
    remove(key) {
      refs.delete(key);
    },
    get(key, make) {
      const existing = find(key);
      if (existing) return existing;
      const created: V = make((on) => {
        if (on) held.add(created);
        else held.delete(created);
      });
      refs.set(key, new WeakRef(created));
      registry.register(created, key);
      return created;
    },
  };
}
