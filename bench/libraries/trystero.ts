import { createTopicStrategy, type MessageAction, type RequestAction, type Room } from "@trystero-p2p/core";
import type { SignalChannel } from "../page/signal-channel.ts";
import type { Library } from "./library.ts";

/** Trystero's core with a custom strategy, so that it needs no public relays. */
export const trystero: Library = {
  async dial(signals) {
    const { room, echo, chunk, ping, pong } = join(signals);
    const target = await new Promise<string>((resolve) => {
      room.onPeerJoin = resolve;
    });
    return {
      call: (value) => echo.request(value, { target }),
      exchangeMessages: (text) =>
        new Promise((resolve) => {
          pong.onMessage = resolve;
          void ping.send(text, { target });
        }),
      async stream(chunks) {
        for (const bytes of chunks) await chunk.send(bytes, { target });
      },
      close: () => void room.leave(),
    };
  },
  answer(signals, onChunk) {
    const { room, echo, chunk, ping, pong } = join(signals);
    echo.onRequest = (value) => value;
    ping.onMessage = (text, { peerId }) => void pong.send(text, { target: peerId });
    chunk.onMessage = (bytes) => onChunk(bytes);
    return () => void room.leave();
  },
};

interface Joined {
  readonly room: Room;
  readonly echo: RequestAction<any, any>;
  readonly chunk: MessageAction<Uint8Array>;
  readonly ping: MessageAction<string>;
  readonly pong: MessageAction<string>;
}

function join(signals: SignalChannel): Joined {
  const topics = new Map<string, (topic: string, message: string) => void>();
  signals.listen(({ topic, message }) => topics.get(topic)?.(topic, message));
  const joinRoom = createTopicStrategy<SignalChannel>({
    init: () => signals,
    subscribeTopic(_, topic, listener) {
      topics.set(topic, listener);
      return () => void topics.delete(topic);
    },
    publishTopic: (_, topic, message) => signals.send({ topic, message }),
  });
  const room = joinRoom({ appId: "bench", rtcConfig: { iceServers: [] } }, "bench");
  return {
    room,
    echo: room.makeAction<any, any>("echo", { kind: "request" }),
    chunk: room.makeAction<Uint8Array>("chunk"),
    ping: room.makeAction<string>("ping"),
    pong: room.makeAction<string>("pong"),
  };
}
