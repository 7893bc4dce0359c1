import { type Client, createClient, definePresence, type OwnPresence } from "../../core/index.ts";
import { answerChannels, type Channels, dialChannels } from "../libraries/peer-connection.ts";
import { knownPeers } from "./known-peers.ts";
import { createSignalChannel } from "./signal-channel.ts";

/** How a value gets to other pages: as presence, or as JSON on a bare data channel that neither orders nor repeats messages. */
export type PresenceKind = "bonevalue" | "raw";

/** A value that changes often: from one page, the hub, to many peers in another page, or from all of those to the hub. */
export interface PresenceBench {
  /** Opens the hub. Resolves when it is connected to all `others`. */
  openHub(kind: PresenceKind, room: string, own: string, others: readonly string[]): Promise<void>;
  /** Opens a peer for each of `own`. */
  openPeers(kind: PresenceKind, room: string, own: readonly string[], hub: string): void;
  /** Changes the value of each peer of this page `rate` times a second, for `time` ms. Returns how often in all. */
  change(rate: number, time: number): Promise<number>;
  /** The number of the newest value that each peer of this page has of each peer in other pages. */
  newest(): readonly number[];
  /** Looks at those values 60 times a second for `time` ms. Resolves to how long ago each was set, in ms. */
  ages(time: number): Promise<readonly number[]>;
  /** Bytes that wait in the data channels of this page. */
  buffered(): number;
  /** Signs everybody off. */
  close(): void;
}

interface Value {
  readonly number: number;
  /** When it was set. Pages of several browsers share this clock. */
  readonly at: number;
  readonly x: number;
  readonly y: number;
}

const Cursor = definePresence("Cursor");

/** Nothing is open yet. */
export function createPresenceBench(): PresenceBench {
  const setters: ((value: Value) => void)[] = [];
  const newest = new Map<string, Value>();
  const ends: (() => void)[] = [];
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
    const mine: OwnPresence<Value> = client.presence(Cursor, { number: 0, at: Date.now(), x: 0, y: 0 });
    setters.push(mine.set);
    ends.push(() => void client.disconnect());
    await client.connect("bench", own, "");
    return client;
  }

  function follow(client: Client): void {
    const own = client.getId();
    client
      .get("*")
      .presence(Cursor)
      .subscribe((others) => {
        for (const { peer, value } of others) newest.set(`${own} ${peer.id}`, value);
      });
  }

  function carryOver(own: string, peers: ReadonlyMap<string, RTCDataChannel>): void {
    const encoder = new TextEncoder();
    const decoder = new TextDecoder();
    setters.push((value) => {
      const bytes = encoder.encode(JSON.stringify(value));
      for (const channel of peers.values()) channel.send(bytes);
    });
    for (const [peer, channel] of peers) {
      channel.onmessage = ({ data }) => newest.set(`${own} ${peer}`, JSON.parse(decoder.decode(data)));
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
          const { lossy, close } = await dialChannels(createSignalChannel(`${room} ${other}`));
          peers.set(other, lossy);
          ends.push(close);
        }
        carryOver(own, peers);
      }
    },
    openPeers(kind, room, own, hub) {
      for (const id of own) {
        if (kind === "bonevalue") void signIn(room, id, [hub]).then(follow);
        else {
          const use = ({ lossy }: Channels) => carryOver(id, new Map([[hub, lossy]]));
          ends.push(answerChannels(createSignalChannel(`${room} ${id}`), use));
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
          setters[count % setters.length]!({ number, at: Date.now(), x: Math.random(), y: Math.random() });
        }
        await new Promise((resolve) => setTimeout(resolve, 4));
      }
    },
    newest: () => [...newest.values()].map(({ number }) => number),
    async ages(time) {
      const ages: number[] = [];
      for (const until = performance.now() + time; performance.now() < until; ) {
        await new Promise((resolve) => setTimeout(resolve, 1_000 / 60));
        for (const { at } of newest.values()) ages.push(Date.now() - at);
      }
      return ages;
    },
    buffered: () => [...channels].reduce((sum, { bufferedAmount }) => sum + bufferedAmount, 0),
    close() {
      for (const end of ends.splice(0)) end();
      setters.length = 0;
      newest.clear();
      channels.clear();
    },
  };
}
