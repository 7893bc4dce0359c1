import { CloseStep } from "../wire/frames.ts";

/** One side's view of a link that is being closed by consent. See docs/protocol.md, "Closing". */
export interface CloseState {
  /** We have offered and hold new calls until the answer. */
  readonly offering: boolean;
  /** We have consented: we say nothing more. */
  readonly accepted: boolean;
  /** The channels, as a set of bits, on which the other side's offer has been read. */
  readonly offered: number;
  /** The channels on which the other side's consent has been read. */
  readonly consented: number;
}

/** What to do after an event: what to say on which channels, whether to close the link or to let held calls go. */
export interface CloseMove {
  readonly state: CloseState;
  readonly say?: { readonly step: number; readonly on: readonly ("control" | "bulk")[] };
  readonly outcome?: "close" | "release";
}

const both = ["control", "bulk"] as const;
const bit = { control: 1, bulk: 2 } as const;
const bothRead = bit.control | bit.bulk;

/** Nobody has offered. */
export const initialCloseState: CloseState = { offering: false, accepted: false, offered: 0, consented: 0 };

/** Offers to close; only for a side without calls and streams, either way. */
export function offer(state: CloseState): CloseMove {
  if (state.offering || state.accepted) return { state };
  return { state: { ...state, offering: true }, say: { step: CloseStep.offer, on: both } };
}

/**
 * Reads the other side's step on a channel. Offers and consents count once they have been read on both, behind all that
 * was sent before them. `idle`: no call or stream is open either way, and none is held.
 */
export function readStep(state: CloseState, step: number, channel: "control" | "bulk", idle: boolean): CloseMove {
  if (step === CloseStep.offer) return readOffer({ ...state, offered: state.offered | bit[channel] }, idle);
  if (step === CloseStep.accept) {
    const consented = state.consented | bit[channel];
    return consented === bothRead
      ? { state: { ...state, consented }, outcome: "close" }
      : { state: { ...state, consented } };
  }
  const stays = { ...state, offering: false };
  return state.accepted ? { state: stays } : { state: stays, outcome: "release" };
}

function readOffer(state: CloseState, idle: boolean): CloseMove {
  if (state.offered !== bothRead) return { state };
  const read = { ...state, offered: 0 };
  if (state.accepted) return { state: read };
  if (idle) return { state: { ...read, accepted: true }, say: { step: CloseStep.accept, on: both } };
  return { state: read, say: { step: CloseStep.decline, on: ["control"] } };
}
