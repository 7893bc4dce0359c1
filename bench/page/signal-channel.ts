/** A signaling channel between the two pages of a pair, the same for every library. */
export interface SignalChannel {
  readonly room: string;
  send(message: unknown): void;
  /** Sets the one listener. */
  listen(listener: (message: any) => void): void;
  close(): void;
}

/** Connects the two pages of one browser with the same room name. It uses no server, so that it takes equally long for all. */
export function createSignalChannel(room: string): SignalChannel {
  const channel = new BroadcastChannel(room);
  return {
    room,
    send: (message) => channel.postMessage(message),
    listen: (listener) => {
      channel.onmessage = ({ data }) => listener(data);
    },
    close: () => channel.close(),
  };
}
