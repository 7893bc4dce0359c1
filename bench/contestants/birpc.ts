import { createBirpc } from "birpc";
import { pack, unpack } from "msgpackr";
import type { Contestant } from "./contestant.ts";
import { answerChannels, dialChannels } from "./peer-connection.ts";

interface Functions {
  echo(text: string): string;
}

/** birpc over a data channel, with the codec that suits one. */
export const birpc: Contestant = {
  async dial(signals) {
    const { first, close } = await dialChannels(signals);
    const remote = createBirpc<Functions>({}, over(first));
    return { call: (text) => remote.echo(text), close };
  },
  answer: (signals) =>
    answerChannels(signals, ({ first }) => {
      createBirpc<object, Functions>({ echo: (text) => text }, over(first));
    }),
};

function over(channel: RTCDataChannel) {
  return {
    post: (message: Uint8Array<ArrayBuffer>) => channel.send(message),
    on: (listener: (message: Uint8Array) => void) => {
      channel.onmessage = ({ data }) => listener(new Uint8Array(data));
    },
    // A view of msgpackr's own buffer is sent at once.
    serialize: pack,
    deserialize: unpack,
  };
}
