import SimplePeer from "simple-peer";
import type { SignalChannel } from "../page/signal-channel.ts";
import type { Library } from "./library.ts";

const idSize = 4;
const maxCallSize = 1_024;

/** simple-peer, whose connection is a Node stream. Messages up to 1 KiB are calls: an id, then a text or JSON. */
export const simplePeer: Library = {
  async dial(signals) {
    const peer = connect(signals, true);
    await new Promise<void>((resolve) => peer.on("connect", resolve));
    const waiting = new Map<number, (text: string) => void>();
    const encoder = new TextEncoder();
    const decoder = new TextDecoder();
    let last = 0;
    peer.on("data", (data: Uint8Array) => {
      const id = new DataView(data.buffer, data.byteOffset).getUint32(0);
      waiting.get(id)?.(decoder.decode(data.subarray(idSize)));
      waiting.delete(id);
    });

    function echo(text: string): Promise<string> {
      return new Promise((resolve) => {
        waiting.set(++last, resolve);
        const message = new Uint8Array(idSize + text.length);
        new DataView(message.buffer).setUint32(0, last);
        encoder.encodeInto(text, message.subarray(idSize));
        peer.send(message);
      });
    }

    return {
      call: async (value) => (typeof value === "string" ? echo(value) : JSON.parse(await echo(JSON.stringify(value)))),
      exchangeMessages: echo,
      async stream(chunks) {
        for (const chunk of chunks) {
          if (!peer.write(chunk)) await new Promise((resolve) => peer.once("drain", resolve));
        }
      },
      close: () => void peer.destroy(),
    };
  },
  answer(signals, onChunk) {
    const peer = connect(signals, false);
    peer.on("data", (data: Uint8Array) => {
      if (data.length > maxCallSize) void onChunk(data);
      else peer.send(data);
    });
    return () => void peer.destroy();
  },
};

function connect(signals: SignalChannel, initiator: boolean): SimplePeer.Instance {
  const peer = new SimplePeer({ initiator, config: { iceServers: [] } });
  peer.on("signal", (signal) => signals.send(signal));
  // Closing a page resets the connection of the other.
  peer.on("error", () => {});
  signals.listen((signal) => peer.signal(signal));
  return peer;
}
