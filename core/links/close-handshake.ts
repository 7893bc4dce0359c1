import { CloseStep } from "../wire/frames.ts";

// Closing by agreement, so that no call is lost. docs/protocol.md, "Closing".
//
// A side without calls and streams offers to close and holds its new calls. The peer accepts if it has none either,
// else declines. *offer* and *accept* travel on both ordered channels and count once they are read on both: then all
// that the sender sent before them has been read, too. A side that accepts sends nothing more. The side that reads
// *accept* closes the link, *decline* releases the held calls. If both sides offer at once, both accept.

/** One side's view of a link that is being closed. */
export interface CloseState {
  /** We have offered and hold new calls until the answer. */
  readonly offering: boolean;
  /** We have accepted and send nothing more. */
  readonly accepted: boolean;
  /** The channels on which the peer's offer has been read, as a set of bits. */
  readonly offersRead: number;
  /** The channels on which the peer's acceptance has been read. */
  readonly acceptsRead: number;
}

/** The state after an event, what to send, and whether to close the link or to release the held calls. */
export interface CloseTransition {
  readonly state: CloseState;
  readonly send?: { readonly step: number; readonly channels: readonly ("control" | "bulk")[] };
  readonly outcome?: "close" | "release";
}

const both = ["control", "bulk"] as const;
const bit = { control: 1, bulk: 2 } as const;
const bothRead = bit.control | bit.bulk;

/** Neither side has offered. */
export const initialCloseState: CloseState = { offering: false, accepted: false, offersRead: 0, acceptsRead: 0 };

/** Offers to close. To be called only while no call and no stream is open, either way. */
export function offer(state: CloseState): CloseTransition {
  if (state.offering || state.accepted) return { state };
  return { state: { ...state, offering: true }, send: { step: CloseStep.offer, channels: both } };
}

/** Reads the peer's step on a channel. `idle`: no call or stream is open either way, and none is held. */
export function readStep(state: CloseState, step: number, channel: "control" | "bulk", idle: boolean): CloseTransition {
  if (step === CloseStep.offer) return readOffer({ ...state, offersRead: state.offersRead | bit[channel] }, idle);
  if (step === CloseStep.accept) {
    const acceptsRead = state.acceptsRead | bit[channel];
    const next = { ...state, acceptsRead };
    return acceptsRead === bothRead ? { state: next, outcome: "close" } : { state: next };
  }
  const declined = { ...state, offering: false };
  return state.accepted ? { state: declined } : { state: declined, outcome: "release" };
}

function readOffer(state: CloseState, idle: boolean): CloseTransition {
  if (state.offersRead !== bothRead) return { state };
  const read = { ...state, offersRead: 0 };
  if (state.accepted) return { state: read };
  if (idle) return { state: { ...read, accepted: true }, send: { step: CloseStep.accept, channels: both } };
  return { state: read, send: { step: CloseStep.decline, channels: ["control"] } };
}
