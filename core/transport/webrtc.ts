import { systemClock } from "../clock.ts";
import { BonevalueError } from "../errors.ts";
import { defaultMaxMessage } from "./default-max-message.ts";
import { createLifetime, type Lifetime } from "./lifetime.ts";
import { createRelayFallback, type DirectConnection, type DirectEvents, type StartFallback } from "./relay-fallback.ts";
import type { Link, Reach, SignalExchange, Transport } from "./transport.ts";
import { type Channels, createChannels } from "./webrtc/channels.ts";
import { monitorConnection } from "./webrtc/connection-monitor.ts";
import { linkFailed, noPath } from "./webrtc/link-errors.ts";
import { type Negotiation, negotiate } from "./webrtc/negotiation.ts";
import { hasPath, pathOf } from "./webrtc/path.ts";
import { type Quirks, quirksOf } from "./webrtc/quirks.ts";

type IceServers = readonly RTCIceServer[];

/**
 * The constructor of an RTCPeerConnection. Only a few members are listed, because the events of
 * `node-datachannel/polyfill` have types of their own.
 */
export type PeerConnectionConstructor = new (
  configuration?: RTCConfiguration,
) => {
  setLocalDescription(description?: RTCLocalSessionDescriptionInit): Promise<void>;
  setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void>;
  addIceCandidate(candidate?: RTCIceCandidateInit | null): Promise<void>;
  restartIce(): void;
  close(): void;
};

/** The options of {@link webrtc}. */
export interface WebRtcOptions {
  /** STUN and TURN servers, or a function that returns them for each link. They precede the discovery server's. */
  iceServers?: IceServers | (() => IceServers | Promise<IceServers>) | undefined;
  /** For runtimes without WebRTC: in Node, the class of `node-datachannel/polyfill`. */
  RTCPeerConnection?: PeerConnectionConstructor | undefined;
  /**
   * Whether links that find no direct path may go through the discovery server, encrypted, if it offers that. Both peers have
   * to agree. Default true.
   */
  relay?: boolean | undefined;
}

const noWebRtc =
  "This runtime has no RTCPeerConnection. Pass one to webrtc(): in Node, the class of `node-datachannel/polyfill`.";
const noWebRtcInWorkers = "Workers have no WebRTC. Create the client in the page, and use postMessage.";
const tooManyConnections = "The browser has reached its limit of WebRTC connections. Close links, or lower `maxLinks`.";

/** Connects peers with WebRTC data channels. It uses only the STUN and TURN servers of the app and its discovery server. */
export function webrtc(options: WebRtcOptions = {}): Transport {
  const startFallback = createRelayFallback(systemClock);
  return {
    channelBinding: true,
    open: (peer, role, exchange) => openLink(options, startFallback, peer, role, exchange),
    probe: (servers) => probeReach(options, servers),
  };
}

async function probeReach(options: WebRtcOptions, discoveryServers: IceServers): Promise<Reach> {
  const Implementation = implementationOf(options);
  const quirks = await quirksOf(Implementation);
  const iceServers = quirks.servers(await serversOf(options, discoveryServers));
  const { probe } = await import("./webrtc/probe.ts");
  return probe(construct(Implementation, { iceServers }), quirks, systemClock, iceServers, options.relay);
}

function openLink(
  options: WebRtcOptions,
  startFallback: StartFallback,
  peer: string,
  role: "caller" | "callee",
  exchange: SignalExchange,
): Link {
  const lifetime = createLifetime(() => connection?.release());
  let connection: WebRtcConnection | undefined;
  // A copy, whose methods the relay replaces.
  const direct: DirectEvents = { ...lifetime };
  const channels = createChannels(direct);

  async function start(): Promise<void> {
    const Implementation = implementationOf(options);
    const quirks = await quirksOf(Implementation);
    const servers = async () => quirks.servers(await serversOf(options, exchange.iceServers()));
    const iceServers = await servers();
    if (lifetime.status !== "opening") return;
    const pc = construct(Implementation, { iceServers });
    connection = connect({ pc, quirks, servers, role, exchange, lifetime, direct, channels });
  }

  const link: Link = {
    opened: lifetime.opened,
    closed: lifetime.closed,
    get maxMessage() {
      return connection?.pc.sctp?.maxMessageSize || defaultMaxMessage;
    },
    get buffered() {
      return channels.buffered;
    },
    get lowMark() {
      return channels.lowMark;
    },
    set lowMark(mark) {
      channels.lowMark = mark;
    },
    listen: lifetime.listen,
    send: channels.send,
    close: lifetime.end,
    trouble: () => (lifetime.status === "opening" ? connection?.negotiation.trouble() : undefined),
    async stats() {
      if (!connection || lifetime.status === "over") return {};
      return pathOf(await connection.pc.getStats(), connection.quirks);
    },
  };
  start().catch((cause) => {
    // The relay may have opened the link.
    if (lifetime.status === "opening")
      lifetime.end(linkFailed("The link could not be started; check iceServers", cause));
  });
  if (exchange.relay && options.relay !== false)
    startFallback({ peer, role, exchange, lifetime, direct, link, connection: () => connection });
  return link;
}

interface WebRtcConnection extends DirectConnection {
  readonly quirks: Quirks;
}

interface ConnectOptions {
  readonly pc: RTCPeerConnection;
  readonly quirks: Quirks;
  /** The current servers, for a restart. */
  servers(): Promise<RTCIceServer[]>;
  readonly role: "caller" | "callee";
  readonly exchange: SignalExchange;
  readonly lifetime: Lifetime;
  readonly direct: DirectEvents;
  readonly channels: Channels;
}

function connect(options: ConnectOptions): WebRtcConnection {
  const { pc, quirks, servers, role, exchange, lifetime, direct, channels } = options;
  const end: Lifetime["end"] = (reason) => direct.end(reason);
  const openChannels = () => channels.openOn(pc, quirks);
  const negotiation = negotiate({
    pc,
    role,
    exchange,
    quirks,
    clock: systemClock,
    openChannels,
    servers,
    onLate: () => direct.onLate?.(),
    // A callee cannot start the relay, and the caller would wait in vain.
    fail: role === "callee" ? lifetime.end : end,
  });
  const undoMonitor = monitorConnection(pc, systemClock, {
    isOpen: () => lifetime.status === "open",
    working: exchange.settled,
    failed: () => end(whyFailed(pc, exchange, negotiation)),
    interrupted: (reason) => lifetime.notify((listener) => listener.interrupted(reason)),
    restored: () => lifetime.notify((listener) => listener.restored()),
    restart: negotiation.restart,
    lost: end,
  });

  function release(): void {
    undoMonitor();
    negotiation.release();
    channels.release();
    pc.close();
  }

  return { pc, quirks, negotiation, release };
}

/** On a good path a handshake can be lost. That is `disconnected`, because another dial may succeed. */
function whyFailed(pc: RTCPeerConnection, exchange: SignalExchange, negotiation: Negotiation): BonevalueError {
  return new BonevalueError(hasPath(pc) ? "disconnected" : "link-failed", negotiation.trouble() ?? noPath(exchange));
}

/** Chromium limits the connections of a process, including closed ones that are not garbage-collected yet. */
function construct(Implementation: typeof RTCPeerConnection, configuration: RTCConfiguration): RTCPeerConnection {
  try {
    return new Implementation(configuration);
  } catch (cause) {
    if (!/so many/i.test(String(cause))) throw cause;
    throw new BonevalueError("busy", tooManyConnections, { cause });
  }
}

function implementationOf(options: WebRtcOptions): typeof RTCPeerConnection {
  const implementation = options.RTCPeerConnection ?? globalThis.RTCPeerConnection;
  if (!implementation) {
    throw new BonevalueError("unsupported", "WorkerGlobalScope" in globalThis ? noWebRtcInWorkers : noWebRtc);
  }
  return implementation as typeof RTCPeerConnection;
}

async function serversOf({ iceServers = [] }: WebRtcOptions, discoveryServers: IceServers): Promise<IceServers> {
  const appServers = typeof iceServers === "function" ? await iceServers() : iceServers;
  return [...appServers, ...discoveryServers];
}
