/** One replacement in a text. */
export interface Edit {
  readonly at: number;
  readonly removed: number;
  readonly inserted: string;
}

/** The replacement that turns `before` into `after`. `caret` is the caret's position in `after`, right behind the typed text. */
export function editBetween(before: string, after: string, caret: number = after.length): Edit {
  let tail = 0;
  const longestTail = Math.min(before.length, after.length - caret);
  while (tail < longestTail && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  let at = 0;
  const longestHead = Math.min(before.length, after.length) - tail;
  while (at < longestHead && before[at] === after[at]) at++;
  return { at, removed: before.length - tail - at, inserted: after.slice(at, after.length - tail) };
}

/** A change of a text in Yjs's delta format. */
export type Delta = readonly {
  readonly retain?: number | undefined;
  readonly insert?: unknown;
  readonly delete?: number | undefined;
}[];

/** The caret's position after a remote change. It stays between the same two letters. */
export function movedCaret(caret: number, delta: Delta): number {
  let at = 0;
  let moved = caret;
  for (const { retain = 0, insert = "", delete: removed = 0 } of delta) {
    const inserted = String(insert).length;
    if (at < moved) moved += inserted - Math.min(removed, moved - at);
    at += retain + inserted;
  }
  return moved;
}
