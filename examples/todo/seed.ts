import * as Y from "yjs";

/** The items of a new list. */
export const firstItems: readonly string[] = ["Open a second tab", "Tick an item there"];

/**
 * Adds the first items to the list. Each page adds them with the same Yjs ids, so that they are there once when they merge,
 * and a page that comes later does not bring back what others have removed.
 */
export function addSeed(doc: Y.Doc): void {
  const seed = new Y.Doc();
  seed.clientID = 1;
  const items = firstItems.map((text, id) => new Y.Map(Object.entries({ id: `first ${id}`, text, done: false })));
  seed.getArray("items").push(items);
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(seed));
}
