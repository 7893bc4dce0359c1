/** How the two pages of a pair find each other: the same for every contestant. */
export interface Signals {
  send(message: unknown): void;
  /** Sets the one listener. */
  listen(listener: (message: any) => void): void;
  close(): void;
}

/** A path between the two pages of one browser that are in `room`; no server, so that all contestants wait for it alike. */
export function createSignals(room: string): Signals {
  const channel = new BroadcastChannel(room);
  return {
    send: (message) => channel.postMessage(message),
    listen: (listener) => {
      channel.onmessage = ({ data }) => listener(data);
    },
    close: () => channel.close(),
  };
}
