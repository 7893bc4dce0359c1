import type { BonevalueError } from "../../errors.ts";
import type { DiscoveryEvents } from "../discovery.ts";
import { breach, type FromServer } from "./from-server.ts";

/** What a server tells unasked. */
export interface SocketNews
  extends Pick<DiscoveryEvents, "peerConnect" | "peerDisconnect" | "userAdd" | "userRemove" | "iceServers" | "signal"> {
  /** The server asks to be come back to on a new socket, in so many ms. */
  reconnect(after: number): void;
}

/** Passes `message` to whom it concerns; gives a `protocol` error when it has no place after the sign-in. */
export function tell(message: FromServer, news: SocketNews): BonevalueError | undefined {
  switch (message.type) {
    case "peerConnect":
      return void news.peerConnect(Object.freeze(message.data));
    case "peerDisconnect":
      return void news.peerDisconnect(message.data, message.lost);
    case "userAdd":
      return void news.userAdd(message.data);
    case "userRemove":
      return void news.userRemove(message.data);
    case "peerRequest":
    case "peerResponse":
      return void news.signal(message.type, message.data.from, message.data.signal);
    case "iceServers":
      // The platform's type knows no `undefined`; an absent name stays absent here.
      return void news.iceServers(message.data.servers as readonly RTCIceServer[]);
    case "reconnect":
      return void news.reconnect(message.data.after);
    case "setPeerId":
    case "userList":
    case "peerList":
      return breach(`a second "${message.type}"`);
    default:
      return undefined;
  }
}
