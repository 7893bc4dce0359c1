import { Packr } from "msgpackr";
import type { Library } from "./library.ts";
import { answerChannels, dialChannels } from "./peer-connection.ts";

const packr = new Packr({ useRecords: false });

/** A bare channel that batches: calls of one microtask travel in one message. Otherwise it has no features of an RPC library. */
export const rawBatched: Library = {
  async dial(signals) {
    const { first, close } = await dialChannels(signals);
    const waiting = new Map<number, (value: unknown) => void>();
    const write = createBatcher(first);
    let last = 0;
    first.onmessage = ({ data }) => {
      packr.unpackMultiple(new Uint8Array(data), ([id, value]: [number, unknown]) => {
        waiting.get(id)?.(value);
        waiting.delete(id);
      });
    };
    return {
      close,
      call: (value) =>
        new Promise((resolve) => {
          waiting.set(++last, resolve);
          write([last, value]);
        }),
    };
  },
  answer: (signals) =>
    answerChannels(signals, ({ first }) => {
      const write = createBatcher(first);
      first.onmessage = ({ data }) => packr.unpackMultiple(new Uint8Array(data), write);
    }),
};

function createBatcher(channel: RTCDataChannel): (frame: unknown) => void {
  let frames: Uint8Array[] = [];
  const send = () => {
    const message = new Uint8Array(frames.reduce((size, { length }) => size + length, 0));
    let at = 0;
    for (const frame of frames) {
      message.set(frame, at);
      at += frame.length;
    }
    frames = [];
    channel.send(message);
  };
  return (frame) => {
    if (frames.push(Uint8Array.from(packr.pack(frame))) === 1) queueMicrotask(send);
  };
}
