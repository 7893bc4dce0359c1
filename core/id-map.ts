/** Values by their numbers, for many that come and go. */
export interface IdMap<Value> {
  readonly size: number;
  get(number: number): Value | undefined;
  /** Adds a value under a number that is free. */
  add(number: number, value: Value): void;
  /** Whether there was one. */
  delete(number: number): boolean;
  /** The numbers of those that are there now. */
  ids(): number[];
}

/**
 * An object as a dictionary. When a Map makes room for itself, its old table goes on pointing to the new one: V8 then
 * keeps everything that came and went, with all that it leads to, until a full collection, and at 50 000 calls a second
 * that costs as much as the calls do.
 */
export function createIdMap<Value>(): IdMap<Value> {
  const values: Record<number, Value> = {};
  let size = 0;
  return {
    get size() {
      return size;
    },
    get: (number) => values[number],
    add(number, value) {
      values[number] = value;
      size++;
    },
    delete(number) {
      if (!(number in values)) return false;
      delete values[number];
      size--;
      return true;
    },
    ids: () => Object.keys(values).map(Number),
  };
}
