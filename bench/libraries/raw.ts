import type { Caller, CallValue, Library } from "./library.ts";
import { answerChannels, type Channels, dialChannels } from "./peer-connection.ts";

/**
 * Bare data channels, the reference of every ratio. Calls are echoes on one channel, with one message for each; chunks use
 * a second channel. Both are ordered, so echoes need no ids. Structured values are JSON.
 */
export const raw: Library = {
  dial: async (signals, { highWaterMark }) => callOver(await dialChannels(signals), highWaterMark),
  answer: (signals, onChunk) =>
    answerChannels(signals, ({ first, second }) => {
      first.onmessage = ({ data }) => first.send(data);
      second.onmessage = ({ data }) => void onChunk(new Uint8Array(data));
    }),
};

function callOver({ first, second, close }: Channels, mark: number): Caller {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  const waiting: ((bytes: ArrayBuffer) => void)[] = [];
  first.onmessage = ({ data }) => waiting.shift()?.(data);

  function echo(text: string): Promise<ArrayBuffer> {
    return new Promise((resolve) => {
      waiting.push(resolve);
      first.send(encoder.encode(text));
    });
  }

  async function call(value: CallValue): Promise<unknown> {
    if (typeof value === "string") return echo(value);
    return JSON.parse(decoder.decode(await echo(JSON.stringify(value))));
  }

  return {
    call,
    exchangeMessages: echo,
    async stream(chunks) {
      for (const chunk of chunks) {
        if (second.bufferedAmount >= mark) await drained(second, mark / 2);
        second.send(chunk);
      }
    },
    close,
  };
}

/** Resolves when no more than `low` bytes are buffered. */
export function drained(channel: RTCDataChannel, low: number): Promise<void> {
  return new Promise((resolve) => {
    channel.bufferedAmountLowThreshold = low;
    channel.onbufferedamountlow = () => resolve();
  });
}
