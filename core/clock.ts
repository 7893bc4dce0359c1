import { microtask } from "./microtask.ts";

/** Where time comes from: the platform's, or a virtual one in tests. Times in milliseconds. */
export interface Clock {
  /** Monotonic: only differences mean something. */
  now(): number;
  /** Runs `task` once, `delay` ms from now; returns its undo. `Infinity`: never. */
  after(delay: number, task: () => void): () => void;
}

// The longest delay that the platform's timers keep; a longer one would fire at once.
const longestTimer = 2 ** 31 - 1;

// What `now` says until the turn of the event loop is over: in a browser it costs as much to ask as to write a frame.
let thisTurn: number | undefined;

function now(): number {
  if (thisTurn !== undefined) return thisTurn;
  microtask(endTurn);
  thisTurn = performance.now();
  return thisTurn;
}

function endTurn(): void {
  thisTurn = undefined;
}

/** The platform's own time and timers. Time stands still within one turn of the event loop. */
export const systemClock: Clock = {
  now,
  after(delay, task) {
    if (delay > longestTimer) return () => {};
    // A time that has just passed is now.
    const timer = setTimeout(task, Math.max(0, delay));
    return () => clearTimeout(timer);
  },
};
