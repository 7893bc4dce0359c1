import { createTopicStrategy, type MessageAction, type RequestAction, type Room } from "@trystero-p2p/core";
import type { Signals } from "../page/signals.ts";
import type { Contestant } from "./contestant.ts";

/** Trystero's core with a strategy of our own, which is how it can be had without anybody's relays. */
export const trystero: Contestant = {
  async dial(signals) {
    const { room, echo, chunk } = join(signals);
    const target = await new Promise<string>((resolve) => {
      room.onPeerJoin = resolve;
    });
    return {
      call: (text) => echo.request(text, { target }),
      async stream(chunks) {
        for (const bytes of chunks) await chunk.send(bytes, { target });
      },
      close: () => void room.leave(),
    };
  },
  answer(signals, sink) {
    const { room, echo, chunk } = join(signals);
    echo.onRequest = (text) => text;
    chunk.onMessage = (bytes) => sink(bytes);
    return () => void room.leave();
  },
};

interface Joined {
  readonly room: Room;
  readonly echo: RequestAction<string, string>;
  readonly chunk: MessageAction<Uint8Array>;
}

function join(signals: Signals): Joined {
  const topics = new Map<string, (topic: string, message: string) => void>();
  signals.listen(({ topic, message }) => topics.get(topic)?.(topic, message));
  const joinRoom = createTopicStrategy<Signals>({
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
    echo: room.makeAction<string, string>("echo", { kind: "request" }),
    chunk: room.makeAction<Uint8Array>("chunk"),
  };
}
