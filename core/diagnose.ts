import type { Status } from "./session.ts";
import type { Reach, Transport } from "./transport/transport.ts";

/** What this page can do. `undefined` means unknown. Prints as text: `String(diagnosis)`. */
export interface Diagnosis {
  /** Whether links are possible: in browsers, whether RTCPeerConnection exists and may be used. */
  readonly webrtc: boolean | undefined;
  /** Whether the page is a secure context. Unknown outside of browsers. */
  readonly secureContext: boolean | undefined;
  /** Whether the discovery server answers. Unknown before `connect`. */
  readonly server: boolean | undefined;
  /** Whether this machine has a usable local address. */
  readonly host: boolean | undefined;
  /** Whether a STUN server reports a public address. */
  readonly srflx: boolean | undefined;
  /** Whether a TURN server relays for this page. */
  readonly relay: boolean | undefined;
  /** The errors of STUN and TURN servers, or of the platform. */
  readonly errors: readonly string[];
  toString(): string;
}

/** The parts of a client that are tested. */
export interface DiagnoseOptions {
  readonly transport: Transport;
  readonly iceServers: readonly RTCIceServer[];
  readonly status: Status;
  readonly secureContext: boolean | undefined;
}

type Findings = Omit<Diagnosis, "toString">;

/** Tests everything that a link needs, in 5 s at most. Never rejects. */
export async function diagnose({ transport, iceServers, status, secureContext }: DiagnoseOptions): Promise<Diagnosis> {
  const { servers, ...reach } = await reachOf(transport, iceServers);
  const findings: Findings = {
    secureContext,
    server: status === "offline" ? undefined : status === "online",
    ...reach,
  };
  // Not enumerable, so that a copy contains only the findings.
  Object.defineProperty(findings, "toString", { value: () => textOf(findings, servers) });
  return Object.freeze(findings);
}

async function reachOf(
  transport: Transport,
  iceServers: readonly RTCIceServer[],
): Promise<Omit<Findings, "secureContext" | "server"> & Pick<Reach, "servers">> {
  const unknown = { host: undefined, srflx: undefined, relay: undefined };
  if (!transport.probe) return { webrtc: undefined, ...unknown, errors: [] };
  try {
    return { webrtc: true, ...(await transport.probe(iceServers)) };
  } catch (error) {
    return { webrtc: false, ...unknown, errors: [error instanceof Error ? error.message : String(error)] };
  }
}

/** The name of each finding, and what to do if it is false. */
const rows: readonly [keyof Omit<Findings, "errors">, name: string, advice: string][] = [
  ["webrtc", "WebRTC", "this runtime has none, or a policy or an extension blocks it"],
  ["secureContext", "secure context", "serve the page over https"],
  ["server", "discovery server", "it does not answer: check the host, and that this machine is online"],
  ["host", "host candidates", "this machine has no usable address: check that it is online"],
  ["srflx", "srflx candidates", "needed to be reached from other networks"],
  ["relay", "relay candidates", "needed where networks block direct paths"],
];

function textOf(findings: Findings, servers: readonly string[] = []): string {
  const lines = rows.map(([key, name, advice]) => {
    const cause = key === "srflx" ? causeOf("STUN", servers) : key === "relay" ? causeOf("TURN", servers) : "";
    return `${name}: ${answerOf(findings[key], cause + advice)}`;
  });
  return [...lines, ...findings.errors.map((error) => `error: ${error}`)].join("\n");
}

function causeOf(kind: "STUN" | "TURN", servers: readonly string[]): string {
  const isConfigured = servers.some((url) => url.toUpperCase().startsWith(kind));
  return isConfigured ? `no ${kind} server has answered; ` : `no ${kind} server is configured: add one to iceServers; `;
}

function answerOf(found: boolean | undefined, advice: string): string {
  if (found === undefined) return "unknown";
  return found ? "yes" : `no (${advice})`;
}
