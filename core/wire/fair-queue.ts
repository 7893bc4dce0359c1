import { type Chunks, concatBytes, lengthOf } from "./concat-bytes.ts";
import { createFragmenter, type Fragmenter, reassemblyCost } from "./fragments.ts";

// Fair queueing in bytes, after deficit round robin (Shreedhar and Varghese, "Efficient Fair Queueing Using Deficit Round
// Robin", SIGCOMM 1995). All flows are equal:
//
// - A flow is a stream, or a call with all that follows from it. The frames of one flow leave in order.
// - Flows take turns. A turn ends when the flow has sent half a message, so that a flow of small frames gets as many bytes
//   as one of large frames. A flow without frames is forgotten.
// - A frame that is larger than a message leaves in parts, one per turn or more, so it delays no other flow.
// - The receiver bounds the total of unfinished frames. A frame beyond that waits, and no frame that would need parts
//   overtakes it, else it could wait forever. Frames that fit into a message need nothing from that budget and go on.
//
// Frames are encoded as late as possible, when there is space for them in a message.

/** A frame that waits in the queue. */
export interface QueuedFrame {
  /** Returns its bytes. Called once, at its turn. Bytes that do not leave in the same turn of the event loop are copied. */
  write(): Chunks;
  /** Called once, when the frame was sent, or so much of it that another frame fits into the message with its end. */
  onSent?: (() => void) | undefined;
}

/** A frame or a part, and what to call once it was sent. */
export interface Dequeued {
  readonly frame: Chunks;
  readonly onSent: (() => void) | undefined;
}

/** Frames that wait for bulk: in order within a flow, in turns between flows. */
export interface FairQueue {
  readonly isEmpty: boolean;
  add(flow: unknown, frame: QueuedFrame): void;
  /** Removes the waiting frames of `flow`. If some parts of a frame were sent, the receiver is told to discard them. */
  drop(flow: unknown): void;
  /**
   * Removes the next content of a message of `messageSize` bytes that has `available` bytes left: a complete frame that fits,
   * or a part of one that fits into no message. Returns `undefined` if nothing fits, or if nothing may begin yet.
   */
  dequeue(available: number, messageSize: number): Dequeued | undefined;
  clear(): void;
}

interface Flow {
  frames: QueuedFrame[];
  /** The bytes of the first frame, once they were written, and what splits it, once it leaves in parts. */
  encoded: Chunks | undefined;
  fragmenter: Fragmenter | undefined;
  /** The bytes that the receiver counts for the parts that were sent. */
  cost: number;
  /** Bytes that were sent since the turn began. */
  sentInTurn: number;
}

// A smaller part is not worth its overhead.
const minPartSize = 1_024;

/** Creates a queue for a receiver that keeps at most `maxUnfinished()` bytes of unfinished frames. */
export function createFairQueue(maxUnfinished: () => number): FairQueue {
  // In the order of their turns.
  const flows = new Map<unknown, Flow>();
  let unfinished = 0;
  let lastSlot = 0;

  function fragment(flow: Flow, frame: Uint8Array<ArrayBuffer>): Fragmenter | undefined {
    const cost = reassemblyCost(frame.length);
    if (unfinished > 0 && unfinished + cost > maxUnfinished()) return undefined;
    unfinished += cost;
    flow.cost = cost;
    return createFragmenter(frame, ++lastSlot);
  }

  function complete(flow: Flow, frame: Chunks): Dequeued {
    unfinished -= flow.cost;
    flow.cost = 0;
    flow.encoded = flow.fragmenter = undefined;
    return { frame, onSent: flow.frames.shift()?.onSent };
  }

  function dequeueFrom(flow: Flow, available: number, messageSize: number, mayFragment: boolean): Dequeued | undefined {
    if (!flow.fragmenter) {
      flow.encoded ??= flow.frames[0]!.write();
      const length = lengthOf(flow.encoded);
      // `available` is negative after the message size has shrunk, and an empty frame still fits.
      if (length <= Math.max(0, available)) return complete(flow, flow.encoded);
      const frame = flow.encoded.length > 1 ? concatBytes(flow.encoded) : flow.encoded[0]!;
      flow.encoded = [frame];
      if (length > messageSize && mayFragment && available >= minPartSize) flow.fragmenter = fragment(flow, frame);
    }
    if (!flow.fragmenter || available < minPartSize) return undefined;
    const part = flow.fragmenter.next(available);
    if (flow.fragmenter.remaining === 0) return complete(flow, part);
    const isNearlySent = flow.fragmenter.remaining <= messageSize - minPartSize;
    return { frame: part, onSent: isNearlySent ? takeCallback(flow) : undefined };
  }

  function takeCallback({ frames: [first] }: Flow): (() => void) | undefined {
    const onSent = first?.onSent;
    if (first) first.onSent = undefined;
    return onSent;
  }

  function endTurn(key: unknown, flow: Flow): void {
    flow.sentInTurn = 0;
    flows.delete(key);
    if (flow.frames.length > 0) flows.set(key, flow);
  }

  return {
    get isEmpty() {
      return flows.size === 0;
    },
    add(key, frame) {
      const flow = flows.get(key);
      if (flow) flow.frames.push(frame);
      else flows.set(key, { frames: [frame], encoded: undefined, fragmenter: undefined, cost: 0, sentInTurn: 0 });
    },
    drop(key) {
      const flow = flows.get(key);
      if (!flow || flow.cost === 0) flows.delete(key);
      else {
        // The cost counts until the discarding part was sent. After a second drop that part is already the first frame.
        const { fragmenter } = flow;
        flow.frames = fragmenter ? [{ write: () => [fragmenter.discard()] }] : flow.frames.slice(0, 1);
        flow.encoded = flow.fragmenter = undefined;
      }
    },
    dequeue(available, messageSize) {
      let mayFragment = true;
      for (const [key, flow] of flows) {
        const next = dequeueFrom(flow, available, messageSize, mayFragment);
        mayFragment &&= next !== undefined;
        if (!next) continue;
        flow.sentInTurn += lengthOf(next.frame);
        if (flow.frames.length === 0 || flow.sentInTurn * 2 >= messageSize) endTurn(key, flow);
        return next;
      }
      return undefined;
    },
    clear: () => flows.clear(),
  };
}
