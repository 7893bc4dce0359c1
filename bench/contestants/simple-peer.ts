import SimplePeer from "simple-peer";
import type { Signals } from "../page/signals.ts";
import type { Contestant } from "./contestant.ts";

const numberSize = 4;

/** simple-peer: a connection that is a Node stream. What is not 64 KiB is an echo, with a number before its text. */
export const simplePeer: Contestant = {
  async dial(signals) {
    const peer = connect(signals, true);
    await new Promise<void>((resolve) => peer.on("connect", resolve));
    const waiting = new Map<number, (text: string) => void>();
    const encoder = new TextEncoder();
    const decoder = new TextDecoder();
    let last = 0;
    peer.on("data", (data: Uint8Array) => {
      const id = new DataView(data.buffer, data.byteOffset).getUint32(0);
      waiting.get(id)?.(decoder.decode(data.subarray(numberSize)));
      waiting.delete(id);
    });
    return {
      call: (text) =>
        new Promise((resolve) => {
          waiting.set(++last, resolve);
          const message = new Uint8Array(numberSize + text.length);
          new DataView(message.buffer).setUint32(0, last);
          encoder.encodeInto(text, message.subarray(numberSize));
          peer.send(message);
        }),
      async stream(chunks) {
        for (const chunk of chunks) {
          if (!peer.write(chunk)) await new Promise((resolve) => peer.once("drain", resolve));
        }
      },
      close: () => void peer.destroy(),
    };
  },
  answer(signals, sink) {
    const peer = connect(signals, false);
    peer.on("data", (data: Uint8Array) => {
      if (data.length > 1_024) void sink(data);
      else peer.send(data);
    });
    return () => void peer.destroy();
  },
};

function connect(signals: Signals, initiator: boolean): SimplePeer.Instance {
  const peer = new SimplePeer({ initiator, config: { iceServers: [] } });
  peer.on("signal", (signal) => signals.send(signal));
  // Pages that are closed cut each other off.
  peer.on("error", () => {});
  signals.listen((signal) => peer.signal(signal));
  return peer;
}
