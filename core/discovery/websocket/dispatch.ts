import type { DiscoveryEvents } from "../discovery.ts";
import { type FromServer, serverProtocolError } from "./from-server.ts";

/** What a server tells unasked. */
export interface ServerEvents
  extends Pick<DiscoveryEvents, "peerConnect" | "peerDisconnect" | "userAdd" | "userRemove" | "iceServers" | "signal"> {
  /** The server asks to be come back to on a new socket, in so many ms. */
  reconnect(after: number): void;
}

/** Passes `message` to whom it concerns. Throws `protocol` when it has no place after the sign-in. */
export function dispatch({ type, data, lost }: FromServer, news: ServerEvents): void {
  if (type === "peerConnect") news.peerConnect(Object.freeze(data));
  else if (type === "peerDisconnect") news.peerDisconnect(data, lost);
  else if (type === "userAdd") news.userAdd(data);
  else if (type === "userRemove") news.userRemove(data);
  else if (type === "peerRequest" || type === "peerResponse") news.signal(type, data.from, data.signal);
  // The platform's type knows no `undefined`; an absent name stays absent here.
  else if (type === "iceServers") news.iceServers(data.servers as readonly RTCIceServer[]);
  else if (type === "reconnect") news.reconnect(data.after);
  else if (type === "setPeerId" || type === "userList" || type === "peerList")
    throw serverProtocolError(`a second "${type}"`);
}
