import { systemClock } from "../clock.ts";
import { BonevalueError } from "../errors.ts";
import { createLifetime, type Lifetime } from "./lifetime.ts";
import type { Link, Reach, SignalExchange, Transport } from "./transport.ts";
import { type Channels, createChannels } from "./webrtc/channels.ts";
import { monitorConnection } from "./webrtc/connection-monitor.ts";
import { linkFailed } from "./webrtc/link-failed.ts";
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

/** What {@link webrtc} can be told. */
export interface WebRtcOptions {
  /** STUN and TURN servers, or where to get them when a link is made. They come before the discovery server's. */
  iceServers?: IceServers | (() => IceServers | Promise<IceServers>) | undefined;
  /** For runtimes without WebRTC of their own: in Node, `node-datachannel/polyfill`'s. */
  RTCPeerConnection?: PeerConnectionConstructor | undefined;
}

// What every implementation takes, for one that does not say.
const defaultMaxMessage = 65_536;

const noWebRtc =
  "This runtime has no RTCPeerConnection. Give webrtc() one: in Node, that of `node-datachannel/polyfill`.";
const noPath = "There is no path to the peer. Configure a TURN server in iceServers.";

/** Reaches peers over WebRTC data channels. Contacts nobody's server unless the app or its discovery server names one. */
export function webrtc(options: WebRtcOptions = {}): Transport {
  return {
    open: (_peer, role, exchange) => openLink(options, role, exchange),
    probe: (servers) => probeReach(options, servers),
  };
}

async function probeReach(options: WebRtcOptions, discoveryServers: IceServers): Promise<Reach> {
  const Implementation = implementationOf(options);
  const quirks = quirksOf(Implementation);
  const iceServers = quirks.servers(await serversOf(options, discoveryServers));
  const { probe } = await import("./webrtc/probe.ts");
  return probe(new Implementation({ iceServers }), quirks, systemClock);
}

function openLink(options: WebRtcOptions, role: "caller" | "callee", exchange: SignalExchange): Link {
  const lifetime = createLifetime(() => connection?.release());
  const channels = createChannels(lifetime);
  let connection: Connection | undefined;

  async function start(): Promise<void> {
    const Implementation = implementationOf(options);
    const quirks = quirksOf(Implementation);
    const servers = async () => quirks.servers(await serversOf(options, exchange.iceServers()));
    const iceServers = await servers();
    if (lifetime.status !== "opening") return;
    const pc = new Implementation({ iceServers });
    connection = connect({ pc, quirks, servers, role, exchange, lifetime, channels });
  }

  start().catch((cause) => lifetime.end(linkFailed("No link could be begun; check iceServers", cause)));

  return {
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
}

interface Connection {
  readonly pc: RTCPeerConnection;
  readonly quirks: Quirks;
  readonly negotiation: Negotiation;
  release(): void;
}

interface ConnectOptions {
  readonly pc: RTCPeerConnection;
  readonly quirks: Quirks;
  /** The servers of the moment, for a restart. */
  servers(): Promise<RTCIceServer[]>;
  readonly role: "caller" | "callee";
  readonly exchange: SignalExchange;
  readonly lifetime: Lifetime;
  readonly channels: Channels;
}

function connect({ pc, quirks, servers, role, exchange, lifetime, channels }: ConnectOptions): Connection {
  const openChannels = () => channels.openOn(pc, quirks);
  const negotiation = negotiate({
    pc,
    role,
    exchange,
    quirks,
    clock: systemClock,
    openChannels,
    servers,
    fail: lifetime.end,
  });
  const undoHealth = monitorConnection(pc, systemClock, {
    isOpen: () => lifetime.status === "open",
    working: exchange.settled,
    failed: () => lifetime.end(whyFailed(pc, negotiation)),
    interrupted: (reason) => lifetime.notify((listener) => listener.interrupted(reason)),
    restored: () => lifetime.notify((listener) => listener.restored()),
    restart: negotiation.restart,
    lost: lifetime.end,
  });

  function release(): void {
    undoHealth();
    negotiation.release();
    channels.release();
    pc.close();
  }

  return { pc, quirks, negotiation, release };
}

/** A handshake is lost now and then on a good path, which `disconnected` says: it is worth another dial. */
function whyFailed(pc: RTCPeerConnection, negotiation: Negotiation): BonevalueError {
  return new BonevalueError(hasPath(pc) ? "disconnected" : "link-failed", negotiation.trouble() ?? noPath);
}

function implementationOf(options: WebRtcOptions): typeof RTCPeerConnection {
  const implementation = options.RTCPeerConnection ?? globalThis.RTCPeerConnection;
  if (!implementation) throw new BonevalueError("unsupported", noWebRtc);
  return implementation as typeof RTCPeerConnection;
}

async function serversOf({ iceServers = [] }: WebRtcOptions, discoveryServers: IceServers): Promise<IceServers> {
  const named = typeof iceServers === "function" ? await iceServers() : iceServers;
  return [...named, ...discoveryServers];
}
