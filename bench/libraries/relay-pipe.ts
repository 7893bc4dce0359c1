import { maxRelayMessageBytes as messageSize } from "../../core/protocol/limits.ts";
import { ackAfter } from "../../core/transport/relay/segments.ts";
import type { Library } from "./library.ts";

const Kind = { call: 0, reply: 1, chunk: 2, ack: 3 } as const;
// Four chunks of 64 KiB. A relayed link has such messages and acks, and three chunks on their way beside calls, five without.
const windowSize = 256 * 1_024;

/**
 * The reference for relayed links: two bare WebSockets that the discovery server joins, without encryption. Calls are echoes in
 * messages of their own; chunks are cut into messages of the largest size, and acknowledged as those of relayed links are.
 */
export const relayPipe: Library = {
  async dial({ room }) {
    const pipe = await openPipe(room, "caller");
    const waiting: ((bytes: Uint8Array) => void)[] = [];
    let inFlight = 0;
    let wake = () => {};
    pipe.listen((kind, bytes) => {
      if (kind === Kind.reply) waiting.shift()?.(bytes);
      if (kind !== Kind.ack) return;
      inFlight -= new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
      wake();
    });
    const encoder = new TextEncoder();
    return {
      call: (value) =>
        new Promise((resolve) => {
          waiting.push(resolve);
          pipe.send(Kind.call, encoder.encode(JSON.stringify(value)));
        }),
      async stream(chunks) {
        for (const chunk of chunks) {
          for (let offset = 0; offset < chunk.length; ) {
            const part = chunk.subarray(offset, offset + messageSize - 1);
            while (inFlight + part.length > windowSize) {
              await new Promise<void>((resolve) => {
                wake = resolve;
              });
            }
            inFlight += part.length;
            offset += part.length;
            pipe.send(Kind.chunk, part);
          }
        }
      },
      close: pipe.close,
    };
  },
  answer({ room }, onChunk) {
    const opened = openPipe(room, "callee");
    let unacknowledged = 0;
    opened.then((pipe) =>
      pipe.listen((kind, bytes) => {
        if (kind === Kind.call) pipe.send(Kind.reply, bytes);
        if (kind !== Kind.chunk) return;
        unacknowledged += bytes.length;
        void onChunk(bytes);
        if (unacknowledged < ackAfter) return;
        const ack = new Uint8Array(4);
        new DataView(ack.buffer).setUint32(0, unacknowledged);
        pipe.send(Kind.ack, ack);
        unacknowledged = 0;
      }),
    );
    return async () => (await opened).close();
  },
};

/** The URL of the bench's discovery server. */
export function discoveryServer(): string {
  return new URLSearchParams(location.search).get("server")!;
}

/** Joins one of two pages in a room, as a relayed link does. */
async function openPipe(room: string, role: "caller" | "callee") {
  const server = new WebSocket(discoveryServer());
  const access = new Promise<{ readonly url: string; readonly ticket: string }>((resolve) => {
    server.onmessage = ({ data: text }) => {
      const { type, data } = JSON.parse(text);
      if (role === "caller" && type === "peerConnect") openRelay(data.id);
      if (role === "caller" && type === "peerList") for (const { id } of data) openRelay(id);
      if (type === "relayResponse" || type === "relayOffer") resolve(data);
    };
  });
  const say = (type: string, data: object) => server.send(JSON.stringify({ type, id: 1, data }));
  const openRelay = (to: string) => say("openRelay", { to });
  server.onopen = () => say("authenticate", { version: 1, room });
  const { url, ticket } = await access;

  const socket = new WebSocket(new URL(url, discoveryServer()));
  socket.binaryType = "arraybuffer";
  await new Promise((resolve) => {
    socket.onopen = resolve;
  });
  socket.send(ticket);
  return {
    send(kind: number, bytes: Uint8Array) {
      const message = new Uint8Array(1 + bytes.length);
      message[0] = kind;
      message.set(bytes, 1);
      socket.send(message);
    },
    listen(listener: (kind: number, bytes: Uint8Array) => void) {
      socket.onmessage = ({ data }) => listener(new Uint8Array(data, 0, 1)[0]!, new Uint8Array(data, 1));
    },
    close() {
      socket.close();
      server.close();
    },
  };
}
