import { RpcSession, RpcTarget, type RpcTransport } from "capnweb";
import type { CallValue, Library } from "./library.ts";
import { answerChannels, dialChannels } from "./peer-connection.ts";

class Echo extends RpcTarget {
  echo(value: CallValue): CallValue {
    return value;
  }
}

/** Cap'n Web over a data channel. */
export const capnweb: Library = {
  async dial(signals) {
    const { first, close } = await dialChannels(signals);
    const remote = new RpcSession<Echo>(over(first)).getRemoteMain();
    return { call: async (value) => remote.echo(value as never), close };
  },
  answer: (signals) => answerChannels(signals, ({ first }) => void new RpcSession(over(first), new Echo())),
};

function over(channel: RTCDataChannel): RpcTransport {
  const arrived: string[] = [];
  let onMessage: ((message: string) => void) | undefined;
  channel.onmessage = ({ data }) => {
    const resolve = onMessage;
    onMessage = undefined;
    if (resolve) resolve(data);
    else arrived.push(data);
  };
  return {
    send: (message) => channel.send(message),
    receive: () =>
      new Promise((resolve) => {
        const next = arrived.shift();
        if (next === undefined) onMessage = resolve;
        else resolve(next);
      }),
  };
}
