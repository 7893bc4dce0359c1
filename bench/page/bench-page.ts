import { type LibraryName, libraries } from "../libraries/all.ts";
import type { Caller, CallValue, Chunk, DialSettings } from "../libraries/library.ts";
import { callRate } from "./call-rate.ts";
import { type Cursors, createCursors } from "./cursors.ts";
import { createHash } from "./hash.ts";
import { createIdentityBench, type IdentityBench } from "./identity.ts";
import { createPresenceBench, type PresenceBench } from "./presence.ts";
import { createReceivedBytes, type ReceivedBytes } from "./received-bytes.ts";
import { createRoomPeers, type RoomPeers } from "./room-peers.ts";
import { createSignalChannel } from "./signal-channel.ts";
import { measureState, type StateCosts } from "./state-costs.ts";

/** The functions of a page that the bench calls from Node. Times in ms, sizes in bytes. */
export interface BenchPage {
  /** Waits to be dialed. Call it before the other page dials. */
  answer(name: LibraryName, room: string): void;
  /** Dials and makes a call. Resolves to the time until its reply. */
  dial(name: LibraryName, room: string, settings: DialSettings): Promise<number>;
  hangUp(): void;
  /** Makes `count` calls one after the other. Resolves to their times. */
  callSequentially(kind: RequestKind, count: number): Promise<number[]>;
  /** Exchanges `count` pairs of one-way messages one after the other. Resolves to their times. */
  exchangeSequentially(count: number): Promise<number[]>;
  /** Keeps `concurrency` calls in flight. Resolves to the replies a second. */
  callConcurrently(kind: RequestKind, concurrency: number, duration: number): Promise<number>;
  /** Makes calls at random times, `rate` a second. Resolves to their times. */
  callAtRandom(rate: number, duration: number): Promise<number[]>;
  /** Starts a stream of `size` bytes. Returns the time, on the same clock as {@link ReceivedBytes}. */
  send(size: number): number;
  /** Ends the stream if it has not ended, and waits until all of it was passed on. */
  finish(): Promise<void>;
  readonly received: ReceivedBytes;
  /** Sends `size` bytes in distinct chunks. Resolves to their hash when they were received. */
  sendHashed(size: number): Promise<number>;
  readonly cursors: Cursors;
  readonly presence: PresenceBench;
  readonly roomPeers: RoomPeers;
  readonly identity: IdentityBench;
  measureState(peers: number, subscribers: number): Promise<StateCosts>;
  /** Keeps the page's thread busy. */
  spin(time: number): void;
}

type RequestKind = "text" | "order";

const text = "x".repeat(100);
const requests: Readonly<Record<RequestKind, CallValue>> = {
  text,
  order: { id: 4_711, customer: "Ada Lovelace", total: 129.95, isPaid: true, items: ["lamp", "cable", "bulb"] },
};
const chunkSize = 64 * 1_024;

let caller: Caller | undefined;
let end: (() => void) | undefined;
let sending = Promise.resolve();
let stopped = false;

const page: BenchPage = {
  received: createReceivedBytes(),
  answer(name, room) {
    const signals = createSignalChannel(room);
    const stop = libraries[name].answer(signals, page.received.add);
    end = () => {
      stop();
      signals.close();
    };
  },
  async dial(name, room, settings) {
    const signals = createSignalChannel(room);
    const begun = performance.now();
    const dialed = await libraries[name].dial(signals, settings);
    await dialed.call(text);
    const took = performance.now() - begun;
    caller = dialed;
    end = () => {
      dialed.close();
      signals.close();
    };
    return took;
  },
  hangUp() {
    end?.();
    end = caller = undefined;
  },
  callSequentially: (kind, count) => timeSequentially(count, () => caller!.call(requests[kind])),
  exchangeSequentially: (count) => timeSequentially(count, () => caller!.exchangeMessages!(text)),
  callConcurrently(kind, concurrency, duration) {
    const { call } = caller!;
    return callRate(() => call(requests[kind]), concurrency, duration);
  },
  async callAtRandom(rate, duration) {
    const until = performance.now() + duration;
    const calls: Promise<number>[] = [];
    while (performance.now() < until) {
      const pause = (-Math.log(1 - Math.random()) * 1_000) / rate;
      await new Promise((resolve) => setTimeout(resolve, pause));
      calls.push(timeOf(() => caller!.call(text)));
    }
    return Promise.all(calls);
  },
  send(size) {
    stopped = false;
    sending = caller!.stream!(chunksOf(size));
    return performance.timeOrigin + performance.now();
  },
  async finish() {
    stopped = true;
    await sending;
  },
  async sendHashed(size) {
    const hash = createHash();
    await caller!.stream!(numberedChunks(size, (chunk) => hash.add(chunk)));
    return hash.value();
  },
  cursors: createCursors(),
  presence: createPresenceBench(),
  roomPeers: createRoomPeers(),
  identity: createIdentityBench(),
  measureState,
  spin(time) {
    const until = performance.now() + time;
    while (performance.now() < until);
  },
};

async function timeOf(task: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await task();
  return performance.now() - begun;
}

async function timeSequentially(count: number, task: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) times.push(await timeOf(task));
  return times;
}

function* chunksOf(size: number): Iterable<Chunk> {
  const chunk = new Uint8Array(chunkSize).fill(7);
  for (let sent = 0; sent < size && !stopped; sent += chunkSize) yield chunk.subarray(0, size - sent);
}

function* numberedChunks(size: number, made: (chunk: Chunk) => void): Iterable<Chunk> {
  for (let sent = 0; sent < size; sent += chunkSize) {
    const chunk = new Uint8Array(Math.min(chunkSize, size - sent));
    new Uint32Array(chunk.buffer).fill(sent / chunkSize);
    made(chunk);
    yield chunk;
  }
}

declare global {
  var bench: BenchPage;
}
globalThis.bench = page;
