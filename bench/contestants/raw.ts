import type { Caller, Contestant } from "./contestant.ts";
import { answerChannels, type Channels, dialChannels } from "./peer-connection.ts";

/**
 * The platform itself, which every figure is a ratio to: echoes on one channel, one message for each, chunks on a
 * second. Both are ordered, so that echoes need no numbers.
 */
export const raw: Contestant = {
  dial: async (signals, { mark }) => callOver(await dialChannels(signals), mark),
  answer: (signals, sink) =>
    answerChannels(signals, ({ first, second }) => {
      first.onmessage = ({ data }) => first.send(data);
      second.onmessage = ({ data }) => void sink(new Uint8Array(data));
    }),
};

function callOver({ first, second, close }: Channels, mark: number): Caller {
  const encoder = new TextEncoder();
  const waiting: ((bytes: ArrayBuffer) => void)[] = [];
  first.onmessage = ({ data }) => waiting.shift()?.(data);
  return {
    call: (text) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        first.send(encoder.encode(text));
      }),
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
