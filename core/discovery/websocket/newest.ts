const maxEntries = 256;

/** Sets an entry as the newest of a map, and deletes the oldest one above 256: for entries that may never be taken. */
export function setNewest<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > maxEntries) map.delete(map.keys().next().value as Key);
}
