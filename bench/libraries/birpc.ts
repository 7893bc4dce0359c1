import { createBirpc } from "birpc";
import { pack, unpack } from "msgpackr";
import type { CallValue, Library } from "./library.ts";
import { answerChannels, dialChannels } from "./peer-connection.ts";

interface Functions {
  echo(value: CallValue): CallValue;
}

/** birpc over a data channel, with msgpack as its codec. */
export const birpc: Library = {
  async dial(signals) {
    const { first, close } = await dialChannels(signals);
    const remote = createBirpc<Functions>({}, over(first));
    return { call: (value) => remote.echo(value), close };
  },
  answer: (signals) =>
    answerChannels(signals, ({ first }) => {
      createBirpc<object, Functions>({ echo: (value) => value }, over(first));
    }),
};

function over(channel: RTCDataChannel) {
  return {
    post: (message: Uint8Array<ArrayBuffer>) => channel.send(message),
    on: (listener: (message: Uint8Array) => void) => {
      channel.onmessage = ({ data }) => listener(new Uint8Array(data));
    },
    // msgpackr reuses its buffer; the channel copies it at once.
    serialize: pack,
    deserialize: unpack,
  };
}
