import * as v from "valibot";
import type { Log } from "../log.ts";
import { type BusMessage, busMessage } from "./cluster.ts";

/** Messages between nodes, over the engine's channels. */
export interface RedisBus {
  /** Where this node listens. */
  readonly channels: readonly string[];
  /** Something has come by one of them. */
  hear(text: string): void;
  /** To a node, which may be ours. */
  send(node: string, message: BusMessage): void;
  broadcast(message: BusMessage): void;
  /** Where something could not be told, has the others read again. */
  makeUp(): void;
}

/** What the post stands on. */
export interface RedisBusParts {
  readonly node: string;
  /** Before the names of all channels. */
  readonly space: string;
  readonly log: Log;
  /** Rejects while the engine is out of reach. */
  readonly publish: (channel: string, text: string) => Promise<void>;
  readonly deliver: (message: BusMessage) => void;
}

const sentMessage = v.object({ from: v.string(), message: busMessage });

/** Nothing is unsaid yet. */
export function createRedisBus({ node: own, space, log, publish, deliver }: RedisBusParts): RedisBus {
  const everybody = `${space}:everybody`;
  const channelOf = (node: string) => `${space}:to:${node}`;
  let unsaid = false;

  function post(channel: string, message: BusMessage): void {
    publish(channel, JSON.stringify({ from: own, message })).catch(() => {
      unsaid = true;
    });
  }

  return {
    channels: [channelOf(own), everybody],
    hear(text) {
      const envelope = v.safeParse(sentMessage, parse(text));
      if (!envelope.success)
        log.warn({ issue: envelope.issues[0].message }, "a message from another node was not understood");
      else if (envelope.output.from !== own) deliver(envelope.output.message);
    },
    send(node, message) {
      if (node === own) queueMicrotask(() => deliver(message));
      else post(channelOf(node), message);
    },
    broadcast: (message) => post(everybody, message),
    makeUp() {
      if (!unsaid) return;
      unsaid = false;
      post(everybody, { kind: "stale" });
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
