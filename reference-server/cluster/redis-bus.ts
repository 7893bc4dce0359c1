import * as v from "valibot";
import type { Log } from "../log.ts";
import { type BusMessage, busMessage } from "./cluster.ts";

/** Messages between nodes, over Redis Pub/Sub channels. */
export interface RedisBus {
  /** The channels that this node subscribes to. */
  readonly channels: readonly string[];
  /** Handles the text of a message from one of these channels. */
  onMessage(text: string): void;
  /** Sends to a node, which may be this one. */
  send(node: string, message: BusMessage): void;
  broadcast(message: BusMessage): void;
  /** If a message could not be published, asks all other nodes to read everything again. */
  announceLoss(): void;
}

/** Dependencies of a {@link RedisBus}. */
export interface RedisBusParts {
  readonly node: string;
  /** The prefix of all channel names. */
  readonly channelPrefix: string;
  readonly log: Log;
  /** Rejects while Redis is unreachable. */
  readonly publish: (channel: string, text: string) => Promise<void>;
  readonly deliver: (message: BusMessage) => void;
}

const sentMessage = v.object({ from: v.string(), message: busMessage });

/** Creates the bus of one node. */
export function createRedisBus({ node: own, channelPrefix, log, publish, deliver }: RedisBusParts): RedisBus {
  const broadcastChannel = `${channelPrefix}:broadcast`;
  const channelOf = (node: string) => `${channelPrefix}:to:${node}`;
  let hasLostMessages = false;

  function publishMessage(channel: string, message: BusMessage): void {
    publish(channel, JSON.stringify({ from: own, message })).catch(() => {
      hasLostMessages = true;
    });
  }

  return {
    channels: [channelOf(own), broadcastChannel],
    onMessage(text) {
      const envelope = v.safeParse(sentMessage, parse(text));
      if (!envelope.success)
        log.warn({ issue: envelope.issues[0].message }, "ignored an invalid message from another node");
      else if (envelope.output.from !== own) deliver(envelope.output.message);
    },
    send(node, message) {
      if (node === own) queueMicrotask(() => deliver(message));
      else publishMessage(channelOf(node), message);
    },
    broadcast: (message) => publishMessage(broadcastChannel, message),
    announceLoss() {
      if (!hasLostMessages) return;
      hasLostMessages = false;
      publishMessage(broadcastChannel, { kind: "stale" });
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
