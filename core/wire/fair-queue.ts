import { type Chunks, concatBytes, lengthOf } from "./concat-bytes.ts";
import { createFragmenter, type Fragmenter, reassemblyCost } from "./fragments.ts";

/** A frame that waits for its turn. */
export interface QueuedFrame {
  /** Its bytes; asked once, when its turn has come. Those that do not leave in this turn of the event loop are copied. */
  write(): Chunks;
  /** Told once, when the channel was given it, or so much that the message with its end has room for more. */
  onSent?: (() => void) | undefined;
}

/** What goes next: a frame or a part of one, and whom to tell when the channel was given it. */
export interface Dequeued {
  readonly frame: Chunks;
  readonly onSent: (() => void) | undefined;
}

/** Frames that wait for bulk: one after the other within a flow, in turns between flows. */
export interface FairQueue {
  readonly isEmpty: boolean;
  add(flow: unknown, waiting: QueuedFrame): void;
  /** Forgets what waits in `flow`; of a frame that went out in part the other side is told. */
  drop(flow: unknown): void;
  /**
   * What goes next into a message of `message` bytes with `room` left: a whole frame that fits, or a part of one that
   * fits no message. Nothing where that is too little, and while what waits may not begin yet.
   */
  dequeue(room: number, message: number): Dequeued | undefined;
  clear(): void;
}

interface Flow {
  queue: QueuedFrame[];
  /** The first of the queue, once its bytes were asked for, and once it goes out in parts. */
  head: Chunks | undefined;
  cut: Fragmenter | undefined;
  /** What the other side counts for the parts that it has. */
  cost: number;
  /** Bytes that it gave since its turn began. */
  given: number;
}

// A part with less than this would cost more than the room it uses.
const smallestPart = 1_024;

/** Flows whose unfinished frames together count at most `assembly()` at the other side, unless there is only one. */
export function createFairQueue(assembly: () => number): FairQueue {
  // In the order of their turns.
  const flows = new Map<unknown, Flow>();
  let unfinished = 0;
  let lastSlot = 0;

  const begin = (flow: Flow, frame: Uint8Array<ArrayBuffer>): Fragmenter | undefined => {
    const cost = reassemblyCost(frame.length);
    if (unfinished > 0 && unfinished + cost > assembly()) return undefined;
    unfinished += cost;
    flow.cost = cost;
    return createFragmenter(frame, ++lastSlot);
  };

  const finish = (flow: Flow, frame: Chunks): Dequeued => {
    unfinished -= flow.cost;
    flow.cost = 0;
    flow.head = flow.cut = undefined;
    return { frame, onSent: flow.queue.shift()?.onSent };
  };

  const take = (flow: Flow, room: number, message: number, mayBegin: boolean): Dequeued | undefined => {
    if (!flow.cut) {
      flow.head ??= flow.queue[0]!.write();
      const length = lengthOf(flow.head);
      // A message that has shrunk may have less than no room, which is enough for a frame that turns out to be none.
      if (length <= Math.max(0, room)) return finish(flow, flow.head);
      const frame = flow.head.length > 1 ? concatBytes(flow.head) : flow.head[0]!;
      flow.head = [frame];
      if (length > message && mayBegin && room >= smallestPart) flow.cut = begin(flow, frame);
    }
    if (!flow.cut || room < smallestPart) return undefined;
    const part = flow.cut.next(room);
    if (flow.cut.remaining === 0) return finish(flow, part);
    return { frame: part, onSent: flow.cut.remaining > message - smallestPart ? undefined : tellOnce(flow) };
  };

  const tellOnce = ({ queue: [first] }: Flow) => {
    const taken = first?.onSent;
    if (first) first.onSent = undefined;
    return taken;
  };

  const endTurn = (key: unknown, flow: Flow) => {
    flow.given = 0;
    flows.delete(key);
    if (flow.queue.length > 0) flows.set(key, flow);
  };

  return {
    get isEmpty() {
      return flows.size === 0;
    },
    add(key, waiting) {
      const flow = flows.get(key);
      if (flow) flow.queue.push(waiting);
      else flows.set(key, { queue: [waiting], head: undefined, cut: undefined, cost: 0, given: 0 });
    },
    drop(key) {
      const flow = flows.get(key);
      if (!flow || flow.cost === 0) flows.delete(key);
      // Its cost is held until the other side hears of it; where it is dropped twice, that part waits already.
      else flow.queue = flow.cut ? [dropping(flow.cut)] : flow.queue.slice(0, 1);
      if (flow) flow.head = flow.cut = undefined;
    },
    dequeue(room, message) {
      // Behind a frame that is too large to begin none may begin either: its turn would never come.
      let mayBegin = true;
      for (const [key, flow] of flows) {
        const next = take(flow, room, message, mayBegin);
        mayBegin &&= next !== undefined;
        if (!next) continue;
        flow.given += lengthOf(next.frame);
        // Half a message or more is a turn.
        if (flow.queue.length === 0 || flow.given * 2 >= message) endTurn(key, flow);
        return next;
      }
      return undefined;
    },
    clear: () => flows.clear(),
  };
}

function dropping(cut: Fragmenter): QueuedFrame {
  return { write: () => [cut.discard()] };
}
