import type { Clock } from "../../clock.ts";
import type { Reach } from "../transport.ts";
import { describeIceError } from "./link-errors.ts";
import type { Quirks } from "./quirks.ts";

// A server that works answers sooner; the platform gives up others after half a minute.
const timeoutMs = 5_000;

/** Gathers candidates on `pc` for 5 s at most, and closes it. Returns the kinds of addresses that were found. */
export async function probe(
  pc: RTCPeerConnection,
  quirks: Quirks,
  clock: Clock,
  iceServers: readonly RTCIceServer[] = [],
  usesRelay = true,
): Promise<Reach> {
  const kinds = new Set<string>();
  const errors = new Set<string>();
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const undo = clock.after(timeoutMs, resolve);
  pc.onicecandidate = ({ candidate }) => {
    const line = candidate ? quirks.candidate(candidate).candidate : undefined;
    if (line) kinds.add(/ typ (\w+)/.exec(line)?.[1] ?? "host");
    else if (!candidate) resolve();
  };
  pc.onicecandidateerror = (event) => errors.add(describeIceError(event));
  try {
    pc.createDataChannel("probe", { negotiated: true, id: 0 });
    await pc.setLocalDescription();
    await done;
  } finally {
    undo();
    pc.close();
  }
  return {
    host: kinds.has("host"),
    srflx: kinds.has("srflx"),
    relay: kinds.has("relay"),
    errors: [...errors],
    declinesRelay: !usesRelay,
    servers: iceServers.flatMap(({ urls }) => urls),
  };
}
