import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import type { SignalKind } from "../../protocol/messages.ts";

/** A frame of docs/protocol.md, part two. */
export interface Frame {
  readonly type: string;
  readonly data?: any;
  readonly id?: number;
}

/** One client's connection to the real server, through the hostile one. */
export interface Tap {
  readonly username: string;
  readonly peer: string;
  toClient(frame: Frame): void;
  toServer(frame: Frame): void;
}

/** What the server does with frames. It returns the frame to pass on, another one, or nothing. */
export interface Attack {
  fromClient?(frame: Frame, from: Tap): Frame | undefined;
  fromServer?(frame: Frame, to: Tap): Frame | undefined;
}

/** A server that passes frames on to the real one, and changes them. */
export interface HostileServer {
  readonly url: string;
  /** Every frame of clients, as text. */
  readonly recorded: string[];
  /** The newest connection of a user. */
  tapOf(username: string): Tap;
  /** Passes everything on without an attack. */
  attack: Attack;
  close(): Promise<void>;
}

/** Starts a hostile server in front of the real one. */
export async function startHostileServer(realServer: string): Promise<HostileServer> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const taps = new Map<string, Tap>();
  const recorded: string[] = [];
  const hostile: HostileServer = {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    recorded,
    attack: {},
    tapOf(username) {
      const tap = taps.get(username);
      if (!tap) throw new Error(`${username} is not connected.`);
      return tap;
    },
    async close() {
      for (const socket of server.clients) socket.terminate();
      server.close();
    },
  };

  server.on("connection", (client) => {
    const upstream = new WebSocket(realServer);
    const early: string[] = [];
    let username = "";
    let peer = "";
    const tap: Tap = {
      get username() {
        return username;
      },
      get peer() {
        return peer;
      },
      toClient: (frame) => client.send(JSON.stringify(frame)),
      toServer(frame) {
        const text = JSON.stringify(frame);
        if (upstream.readyState === WebSocket.OPEN) upstream.send(text);
        else early.push(text);
      },
    };
    upstream.on("open", () => {
      for (const text of early) upstream.send(text);
    });
    client.on("message", (text) => {
      recorded.push(String(text));
      const frame = JSON.parse(String(text)) as Frame;
      const passed = hostile.attack.fromClient ? hostile.attack.fromClient(frame, tap) : frame;
      if (passed) tap.toServer(passed);
    });
    upstream.on("message", (text) => {
      const frame = JSON.parse(String(text)) as Frame;
      if (frame.type === "setPeerId") {
        username = frame.data.username;
        peer = frame.data.peerId;
        taps.set(username, tap);
      }
      const passed = hostile.attack.fromServer ? hostile.attack.fromServer(frame, tap) : frame;
      if (passed) tap.toClient(passed);
    });
    client.on("close", () => upstream.close());
    upstream.on("close", (code, reason) => client.close(code === 1005 || code === 1006 ? 1000 : code, reason));
    upstream.on("error", () => client.terminate());
    client.on("error", () => upstream.terminate());
  });
  return hostile;
}

/** Whether a frame carries a signal. */
export function isSignal({ type }: Frame): boolean {
  return type === "peerRequest" || type === "peerResponse";
}

/** The kind of a frame that carries a signal. */
export function kindOf({ type }: Frame): SignalKind {
  return type as SignalKind;
}
