import type { Quirks } from "./quirks.ts";

/** How the bytes of a connection travel, and its round trip in ms. */
export interface Path {
  readonly path?: "direct" | "turn";
  readonly roundTrip?: number;
}

interface Pair {
  readonly type: "candidate-pair";
  readonly state?: string;
  readonly nominated?: boolean;
  /** Firefox's own. */
  readonly selected?: boolean;
  readonly localCandidateId: string;
  readonly remoteCandidateId: string;
  readonly currentRoundTripTime?: number;
}

/** Reads the chosen pair of candidates out of the platform's statistics; empty where there is none. */
export function pathOf(report: RTCStatsReport, quirks: Quirks): Path {
  const pair = chosenPair(report);
  if (!pair) return {};
  const relayed = [pair.localCandidateId, pair.remoteCandidateId].some(
    (id) => report.get(id)?.candidateType === "relay",
  );
  const { currentRoundTripTime } = pair;
  return {
    path: relayed ? "turn" : "direct",
    ...(currentRoundTripTime !== undefined && { roundTrip: quirks.roundTrip(currentRoundTripTime) }),
  };
}

function chosenPair(report: RTCStatsReport): Pair | undefined {
  let guess: Pair | undefined;
  for (const entry of report.values()) {
    if (entry.type === "transport" && entry.selectedCandidatePairId) return report.get(entry.selectedCandidatePairId);
    if (entry.type === "candidate-pair" && (entry.selected || (entry.nominated && entry.state === "succeeded"))) {
      guess = entry;
    }
  }
  return guess;
}

/** Whether bytes can travel: what is missing, if anything, is the handshake. */
export function hasPath({ iceConnectionState }: RTCPeerConnection): boolean {
  return iceConnectionState === "connected" || iceConnectionState === "completed";
}
