import { RpcSession, RpcTarget, type RpcTransport } from "capnweb";
import type { Contestant } from "./contestant.ts";
import { answerChannels, dialChannels } from "./peer-connection.ts";

class Echo extends RpcTarget {
  echo(text: string): string {
    return text;
  }
}

/** Cap'n Web over a data channel. */
export const capnweb: Contestant = {
  async dial(signals) {
    const { first, close } = await dialChannels(signals);
    const remote = new RpcSession<Echo>(over(first)).getRemoteMain();
    return { call: (text) => Promise.resolve(remote.echo(text)), close };
  },
  answer: (signals) => answerChannels(signals, ({ first }) => void new RpcSession(over(first), new Echo())),
};

function over(channel: RTCDataChannel): RpcTransport {
  const arrived: string[] = [];
  let take: ((message: string) => void) | undefined;
  channel.onmessage = ({ data }) => {
    const taker = take;
    take = undefined;
    if (taker) taker(data);
    else arrived.push(data);
  };
  return {
    send: (message) => channel.send(message),
    receive: () =>
      new Promise((resolve) => {
        const next = arrived.shift();
        if (next === undefined) take = resolve;
        else resolve(next);
      }),
  };
}
