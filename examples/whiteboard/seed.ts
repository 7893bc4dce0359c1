import * as Y from "yjs";

/** A line on the board: who has drawn it, and its points. */
export interface Stroke {
  readonly who: string;
  readonly points: [number, number][];
}

/**
 * Adds a first drawing to the board. Each page adds it with the same Yjs ids, so that it is there once when they merge, and a
 * page that comes later does not bring back what others have cleared.
 */
export function addSeed(doc: Y.Doc): void {
  const seed = new Y.Doc();
  seed.clientID = 1;
  seed.getArray<Stroke>("strokes").push([sun(), hill()]);
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(seed));
}

function sun(): Stroke {
  const points = Array.from({ length: 26 }, (_, step) => around(170, 150, 70, step / 4));
  return { who: "Oli", points };
}

function hill(): Stroke {
  const points = Array.from({ length: 51 }, (_, step): [number, number] => [
    step * 20,
    Math.round(520 - 60 * Math.sin(step / 8)),
  ]);
  return { who: "Ann", points };
}

function around(x: number, y: number, radius: number, angle: number): [number, number] {
  return [Math.round(x + radius * Math.cos(angle)), Math.round(y + radius * Math.sin(angle))];
}
