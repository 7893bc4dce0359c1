import type { Session } from "./session.ts";
import type { Reach, Transport } from "./transport/transport.ts";

/** The abilities of this page. `undefined` means unknown. Prints as text: `String(diagnosis)`. */
export interface Diagnosis {
  /** Whether links are possible: in browsers, whether RTCPeerConnection exists and may be used. */
  readonly webrtc: boolean | undefined;
  /** Whether the page is a secure context. Unknown outside of browsers. */
  readonly secureContext: boolean | undefined;
  /** Whether the discovery server answers. Unknown while the client is `offline`. */
  readonly server: boolean | undefined;
  /** Whether this machine has a usable local address. */
  readonly host: boolean | undefined;
  /** Whether a STUN server reports a public address. */
  readonly srflx: boolean | undefined;
  /** Whether a TURN server relays for this page. */
  readonly relay: boolean | undefined;
  /** Whether links without a direct path can go through the discovery server. Unknown unless the client is `online`. */
  readonly serverRelay: boolean | undefined;
  /** The errors of STUN and TURN servers, or of the platform. */
  readonly errors: readonly string[];
  /** The findings as text, one line for each, with advice on each problem. */
  toString(): string;
}

/** The parts of a client that are tested. */
export interface DiagnoseOptions {
  readonly transport: Transport;
  readonly session: Pick<Session, "status" | "iceServers" | "openRelay">;
  readonly secureContext: boolean | undefined;
}

type Findings = Omit<Diagnosis, "toString">;

/** Tests everything that a link needs, in 5 s at most. Never rejects. */
export async function diagnose(options: DiagnoseOptions): Promise<Diagnosis> {
  const { transport, session, secureContext } = options;
  const [status, iceServers, hasRelay] = [session.status.peek(), session.iceServers(), !!session.openRelay()];
  const { servers, declinesRelay, ...reach } = await reachOf(transport, iceServers);
  const relayProblem = findRelayProblem(reach.webrtc, declinesRelay);
  const findings: Findings = {
    secureContext,
    server: status === "offline" ? undefined : status === "online",
    ...reach,
    serverRelay: status === "online" ? hasRelay && relayProblem === undefined : undefined,
  };
  // Not enumerable, so that a copy contains only the findings.
  Object.defineProperty(findings, "toString", {
    value: () => textOf(findings, servers, hasRelay ? relayProblem : undefined),
  });
  return Object.freeze(findings);
}

/** Why this page cannot use the relay of the discovery server. */
function findRelayProblem(webrtc: boolean | undefined, declinesRelay: boolean | undefined): string | undefined {
  if (declinesRelay) return "webrtc({ relay: false }) declines it";
  if (webrtc === false) return "it needs WebRTC, too";
  return globalThis.crypto?.subtle ? undefined : "it needs WebCrypto: serve the page over https";
}

async function reachOf(
  transport: Transport,
  iceServers: readonly RTCIceServer[],
): Promise<Omit<Findings, "secureContext" | "server" | "serverRelay"> & Pick<Reach, "servers" | "declinesRelay">> {
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
  ["serverRelay", "relay of the discovery server", "start it with --relay: it carries links without a direct path"],
];

const relayed =
  "yes, for links without a direct path. It cannot read them, unless it replaces the keys of users who are not verified";

function textOf(findings: Findings, servers: readonly string[] = [], relayProblem?: string): string {
  const lines = rows.map(([key, name, advice]) => {
    const cause = key === "srflx" ? causeOf("STUN", servers) : key === "relay" ? causeOf("TURN", servers) : "";
    if (key === "serverRelay" && findings[key]) return `${name}: ${relayed}`;
    const reason = (key === "serverRelay" && relayProblem) || cause + advice;
    return `${name}: ${answerOf(findings[key], reason)}`;
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
