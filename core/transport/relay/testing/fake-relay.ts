import type { RelayAccess, RelaySocket } from "../../../relay-access.ts";
import type { RelayDescription, RelayExchange } from "../../transport.ts";

/** Returns the messages that arrive in place of message number `index` of one side. */
export type Tamper = (
  message: Uint8Array<ArrayBuffer>,
  index: number,
  from: Side,
) => readonly Uint8Array<ArrayBuffer>[];

type Side = "caller" | "callee";

/** The relay of one attempt, inside this process. */
export interface FakeRelay {
  readonly caller: RelayExchange;
  readonly callee: RelayExchange;
  /** The sockets that are open or being opened. */
  readonly open: ReadonlySet<RelaySocket>;
  /** Closes both sockets. */
  cut(): void;
}

interface FakeRelayOptions {
  /** What a hostile server does with the messages. */
  readonly tamper?: Tamper;
  /** What a hostile server does with the descriptions. */
  readonly replace?: (description: RelayDescription, from: Side) => RelayDescription;
  readonly open?: Set<RelaySocket>;
}

const other = { caller: "callee", callee: "caller" } as const;

/** Creates a relay between the two sides of one attempt. */
export function createFakeRelay(options: FakeRelayOptions = {}): FakeRelay {
  const { tamper = (message) => [message], replace = (description) => description, open = new Set() } = options;
  const ends = { caller: createEnd("caller"), callee: createEnd("callee") };

  function createEnd(side: Side) {
    const listeners = new Map<string, (event: unknown) => void>();
    const { promise: opened, resolve: onOpened } = Promise.withResolvers<void>();
    const { promise: described, resolve: describe } = Promise.withResolvers<RelayDescription>();
    let count = 0;

    const socket: RelaySocket = {
      binaryType: "",
      bufferedAmount: 0,
      addEventListener: (type, listener) => void listeners.set(type, listener),
      send(data) {
        if (typeof data === "string") return onOpened();
        const messages = tamper(data.slice(), count++, side);
        void ends[other[side]].opened.then(() => {
          for (const { buffer } of messages) ends[other[side]].emit("message", { data: buffer });
        });
      },
      close() {
        if (!open.delete(socket)) return;
        for (const end of [side, other[side]] as const) queueMicrotask(() => ends[end].emit("close", { code: 1001 }));
        open.delete(ends[other[side]].socket);
      },
    };

    class Socket {
      constructor() {
        open.add(socket);
        queueMicrotask(() => ends[side].emit("open", {}));
        // biome-ignore lint/correctness/noConstructorReturn: the same object stands for the socket everywhere.
        return socket;
      }
    }

    const access = { url: "relay", server: "wss://example.org/", ticket: "t", WebSocket: Socket as never };
    return {
      socket,
      opened,
      describe,
      described,
      access: access satisfies RelayAccess,
      emit: (type: string, event: unknown) => listeners.get(type)?.(event),
    };
  }

  function exchangeOf(side: Side): RelayExchange {
    const { access, describe } = ends[side];
    return {
      open: async () => access,
      describe: (description) => describe(replace(description, side)),
      remote: ends[other[side]].described,
    };
  }

  return {
    caller: exchangeOf("caller"),
    callee: exchangeOf("callee"),
    open,
    cut() {
      for (const { socket } of Object.values(ends)) socket.close();
    },
  };
}

/** The constructor of connections that find no path. Browsers run its source, so it uses nothing from outside. */
export class BlockedPeerConnection {
  iceConnectionState = "new";
  createDataChannel(): object {
    return new EventTarget();
  }
  async setLocalDescription(): Promise<void> {
    throw new Error("A test blocks the direct path.");
  }
  async setRemoteDescription(): Promise<void> {}
  async addIceCandidate(): Promise<void> {}
  restartIce(): void {}
  close(): void {}
}
