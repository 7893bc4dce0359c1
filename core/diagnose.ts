import type { Status } from "./session.ts";
import type { Reach, Transport } from "./transport/transport.ts";

/** What this page can do. `undefined` stands for what could not be found out. Prints as text: `String(diagnosis)`. */
export interface Diagnosis {
  /** Whether links can be made at all: in browsers, whether there is an RTCPeerConnection and it may be used. */
  readonly webrtc: boolean | undefined;
  /** Whether the page was loaded securely, without which browsers withhold much. Outside of browsers it is unknown. */
  readonly secureContext: boolean | undefined;
  /** Whether the discovery server is there. Unknown before `connect`. */
  readonly server: boolean | undefined;
  /** Addresses of this machine's own. */
  readonly host: boolean | undefined;
  /** What a STUN server sees of us from outside. */
  readonly srflx: boolean | undefined;
  /** Places at a TURN server. */
  readonly relay: boolean | undefined;
  /** What STUN and TURN servers, or the platform, refused with. */
  readonly errors: readonly string[];
  toString(): string;
}

/** What {@link diagnose} looks at. */
export interface DiagnoseOptions {
  readonly transport: Transport;
  readonly iceServers: readonly RTCIceServer[];
  readonly status: Status;
  readonly secureContext: boolean | undefined;
}

type Findings = Omit<Diagnosis, "toString">;

/** Looks at everything that a link needs; takes 5 s at most, and never rejects. */
export async function diagnose({ transport, iceServers, status, secureContext }: DiagnoseOptions): Promise<Diagnosis> {
  const findings: Findings = {
    secureContext,
    server: status === "offline" ? undefined : status === "online",
    ...(await reachOf(transport, iceServers)),
  };
  // Not enumerable: what is compared, copied or sent somewhere is the findings alone.
  Object.defineProperty(findings, "toString", { value: () => textOf(findings) });
  return Object.freeze(findings);
}

async function reachOf(
  transport: Transport,
  iceServers: readonly RTCIceServer[],
): Promise<Pick<Diagnosis, "webrtc" | keyof Reach>> {
  const unknown = { host: undefined, srflx: undefined, relay: undefined };
  if (!transport.probe) return { webrtc: undefined, ...unknown, errors: [] };
  try {
    return { webrtc: true, ...(await transport.probe(iceServers)) };
  } catch (error) {
    return { webrtc: false, ...unknown, errors: [error instanceof Error ? error.message : String(error)] };
  }
}

/** Of everything found: its name, and what to do where it is not so. */
const rows: readonly [keyof Omit<Findings, "errors">, name: string, advice: string][] = [
  ["webrtc", "WebRTC", "this runtime has none, or it is blocked by a policy or an extension"],
  ["secureContext", "secure context", "serve the page over https"],
  ["server", "discovery server", "it does not answer: check the host, and that this machine is online"],
  ["host", "host candidates", "no address of this machine may be used: check that it is online"],
  ["srflx", "srflx candidates", "no STUN server has answered; needed to be reached from other networks"],
  ["relay", "relay candidates", "configure a TURN server in iceServers; needed where networks block direct paths"],
];

function textOf(findings: Findings): string {
  const lines = rows.map(([key, name, advice]) => `${name}: ${answerOf(findings[key], advice)}`);
  return [...lines, ...findings.errors.map((error) => `error: ${error}`)].join("\n");
}

function answerOf(found: boolean | undefined, advice: string): string {
  if (found === undefined) return "unknown";
  return found ? "yes" : `no (${advice})`;
}
