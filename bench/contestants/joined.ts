import { Packr } from "msgpackr";
import type { Contestant } from "./contestant.ts";
import { answerChannels, dialChannels } from "./peer-connection.ts";

const packr = new Packr({ useRecords: false });

/** The raw channel with the one idea that pays: what a microtask writes travels in one message. Nothing else of an RPC. */
export const joined: Contestant = {
  async dial(signals) {
    const { first, close } = await dialChannels(signals);
    const waiting = new Map<number, (text: unknown) => void>();
    const write = createJoiner(first);
    let last = 0;
    first.onmessage = ({ data }) => {
      packr.unpackMultiple(new Uint8Array(data), ([id, text]: [number, string]) => {
        waiting.get(id)?.(text);
        waiting.delete(id);
      });
    };
    return {
      close,
      call: (text) =>
        new Promise((resolve) => {
          waiting.set(++last, resolve);
          write([last, text]);
        }),
    };
  },
  answer: (signals) =>
    answerChannels(signals, ({ first }) => {
      const write = createJoiner(first);
      first.onmessage = ({ data }) => packr.unpackMultiple(new Uint8Array(data), write);
    }),
};

function createJoiner(channel: RTCDataChannel): (frame: unknown) => void {
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
