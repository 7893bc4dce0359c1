import { type Client, createClient, definePresence, type OwnPresence } from "../../core/index.ts";
import { answerChannels, dialChannels } from "../libraries/peer-connection.ts";
import { knownPeers } from "./known-peers.ts";
import { createSignalChannel } from "./signal-channel.ts";

/** How a value gets to other pages: as presence, or as JSON on a bare data channel. */
export type PresenceKind = "bonevalue" | "raw";

/** A value that changes often: from one page, the hub, to many peers in another page, or from all of those to the hub. */
export interface PresenceBench {
  /** Opens the hub. Resolves when it is connected to all `others`. */
  openHub(kind: PresenceKind, room: string, own: string, others: readonly string[]): Promise<void>;
  /** Opens a peer for each of `own`. */
  openPeers(kind: PresenceKind, room: string, own: readonly string[], hub: string): void;
  /** Changes the value of each peer of this page `rate` times a second, for `time` ms. Returns how often in all. */
  change(rate: number, time: number): Promise<number>;
  /** The number of the newest value that this page has of each peer in other pages. */
  newest(): readonly number[];
  /** How old the newest value of the hub is, in ms, every 5 ms for `time` ms. The clocks of all pages agree. */
  agesDuring(time: number): Promise<number[]>;
  /** Closes everything that this page has opened. */
  close(): void;
  /** Bytes that wait in the data channels of this page. */
  buffered(): number;
}

interface Value {
  readonly number: number;
  readonly x: number;
  readonly y: number;
  /** When it was set. */
  readonly at: number;
}

const Cursor = definePresence("Cursor");

/** Nothing is open yet. */
export function createPresenceBench(): PresenceBench {
  const setters: ((value: Value) => void)[] = [];
  const newest = new Map<string, Value>();
  const closers: (() => void)[] = [];
  const channels = new Set<RTCDataChannel>();
  const { createDataChannel } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.createDataChannel = function (...args) {
    const channel = createDataChannel.apply(this, args);
    channels.add(channel);
    return channel;
  };

  async function signIn(room: string, own: string, others: readonly string[]): Promise<Client> {
    const client = createClient({ discovery: knownPeers(createSignalChannel(room), own, others) });
    client.module("Echo", ({ request }) => request);
    const mine: OwnPresence<Value> = client.presence(Cursor, { number: 0, x: 0, y: 0, at: now() });
    setters.push(mine.set);
    closers.push(() => void client.disconnect());
    await client.connect("bench", own, "");
    return client;
  }

  function follow(client: Client): void {
    client
      .get("*")
      .presence(Cursor)
      .subscribe((others) => {
        for (const { peer, value } of others) newest.set(peer.id, value);
      });
  }

  function carryOver(peers: ReadonlyMap<string, RTCDataChannel>): void {
    const encoder = new TextEncoder();
    const decoder = new TextDecoder();
    setters.push((value) => {
      const bytes = encoder.encode(JSON.stringify(value));
      for (const channel of peers.values()) channel.send(bytes);
    });
    for (const [peer, channel] of peers) {
      channel.onmessage = ({ data }) => newest.set(peer, JSON.parse(decoder.decode(data)));
    }
  }

  return {
    async openHub(kind, room, own, others) {
      if (kind === "bonevalue") {
        const client = await signIn(room, own, others);
        follow(client);
        await client.get("*").call("Echo", "Hello", { timeout: 60_000 }).all();
      } else {
        const peers = new Map<string, RTCDataChannel>();
        for (const other of others) {
          const { first, close } = await dialChannels(createSignalChannel(`${room} ${other}`));
          peers.set(other, first);
          closers.push(close);
        }
        carryOver(peers);
      }
    },
    openPeers(kind, room, own, hub) {
      for (const id of own) {
        if (kind === "bonevalue") void signIn(room, id, [hub]).then(follow);
        else {
          const signals = createSignalChannel(`${room} ${id}`);
          closers.push(answerChannels(signals, ({ first }) => carryOver(new Map([[hub, first]]))));
        }
      }
    },
    async change(rate, time) {
      const begun = performance.now();
      const total = rate * setters.length;
      let count = 0;
      for (;;) {
        const passed = performance.now() - begun;
        if (passed >= time) return count;
        // The peers of a page take turns, so that they do not send all at the same time.
        for (; count < (passed * total) / 1_000; count++) {
          const number = Math.floor(count / setters.length) + 1;
          setters[count % setters.length]!({ number, x: Math.random(), y: Math.random(), at: now() });
        }
        await new Promise((resolve) => setTimeout(resolve, 4));
      }
    },
    newest: () => [...newest.values()].map(({ number }) => number),
    async agesDuring(time) {
      const ages: number[] = [];
      for (const until = now() + time; now() < until; ) {
        for (const { at } of newest.values()) ages.push(now() - at);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return ages;
    },
    close() {
      for (const close of closers.splice(0)) close();
      setters.length = 0;
      newest.clear();
      channels.clear();
    },
    buffered: () => [...channels].reduce((sum, { bufferedAmount }) => sum + bufferedAmount, 0),
  };
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
