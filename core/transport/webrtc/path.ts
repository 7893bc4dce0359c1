import type { Quirks } from "./quirks.ts";

/** The kind of path of a connection, and its round-trip time in ms. */
export interface Path {
  readonly path?: "direct" | "turn";
  readonly roundTrip?: number;
}

interface Pair {
  readonly type: "candidate-pair";
  readonly state?: string;
  readonly nominated?: boolean;
  /** Only in Firefox. */
  readonly selected?: boolean;
  readonly localCandidateId: string;
  readonly remoteCandidateId: string;
  readonly currentRoundTripTime?: number;
}

/** Reads the selected candidate pair from the statistics. Returns an empty object if there is none. */
export function pathOf(report: RTCStatsReport, quirks: Quirks): Path {
  const pair = selectedPair(report);
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

function selectedPair(report: RTCStatsReport): Pair | undefined {
  let selected: Pair | undefined;
  for (const entry of report.values()) {
    if (entry.type === "transport" && entry.selectedCandidatePairId) return report.get(entry.selectedCandidatePairId);
    if (entry.type === "candidate-pair" && (entry.selected || (entry.nominated && entry.state === "succeeded"))) {
      selected = entry;
    }
  }
  return selected;
}

/** Whether ICE has found a path. The DTLS handshake may be missing. */
export function hasPath({ iceConnectionState }: RTCPeerConnection): boolean {
  return iceConnectionState === "connected" || iceConnectionState === "completed";
}
