/** The members of a WebSocket that a relayed link uses. */
export interface RelaySocket {
  /** Set to `arraybuffer` by the client. */
  binaryType: string;
  /** The bytes that have not been sent yet. */
  readonly bufferedAmount: number;
  /** Sends one message. */
  send(data: string | Uint8Array<ArrayBuffer>): void;
  /** Closes the socket. */
  close(): void;
  /** Adds a listener, as the platform does. */
  addEventListener(type: "open" | "message" | "close" | "error", listener: (event: any) => void): void;
}

/** How one side of a relayed link reaches the discovery server. */
export interface RelayAccess {
  /** The URL of the socket, perhaps relative to `server` as a folder. */
  readonly url: string;
  /** The URL of the discovery server. */
  readonly server: string;
  /** The first message on the socket. */
  readonly ticket: string;
  /** The constructor of its socket. */
  readonly WebSocket: {
    /** Opens a socket to this URL. */
    new (url: string): RelaySocket;
  };
}

/**
 * Returns how this side of a relayed link reaches the discovery server. The caller asks discovery for a link, which offers it
 * to the peer, too: the callee gets the last offer for which that peer has asked, or `undefined`.
 */
export type OpenRelay = (peer: string, role: "caller" | "callee") => Promise<RelayAccess | undefined>;
