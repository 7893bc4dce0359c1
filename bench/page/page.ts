import { contestants, type Name } from "../contestants/all.ts";
import type { Caller, Chunk, Settings } from "../contestants/contestant.ts";
import { type Arrival, createArrival } from "./arrival.ts";
import { type Cursors, createCursors } from "./cursors.ts";
import { createHash } from "./hash.ts";
import { measureState, type StateCosts } from "./known-state.ts";
import { createSignals } from "./signals.ts";

/** What Node asks of the two pages of a pair. Times in ms, sizes in bytes. */
export interface BenchPage {
  /** The page that is dialed; to be asked before the other dials. */
  answer(name: Name, room: string): void;
  /** Resolves when a first call was answered, with the time that it took from the beginning of the dial. */
  dial(name: Name, room: string, settings: Settings): Promise<number>;
  hangUp(): void;
  /** The times of `count` calls, one after the other. */
  oneAtATime(count: number): Promise<number[]>;
  /** Calls answered a second, each reply starting the next. */
  inFlight(inFlight: number, duration: number): Promise<number>;
  /** The times of calls that come at random, `rate` a second. */
  sporadic(rate: number, duration: number): Promise<number[]>;
  /** Begins a stream of `size` bytes, and says when: at the same clock as {@link Arrival}. */
  send(size: number): number;
  /** Ends the stream that was begun, if it has not ended by itself, and waits until all of it was handed over. */
  finish(): Promise<void>;
  readonly arrival: Arrival;
  /** As `send`, each chunk another; resolves with the hash of all when it was taken. */
  sendHashed(size: number): Promise<number>;
  readonly cursors: Cursors;
  measureState(peers: number, subscribers: number): Promise<StateCosts>;
  /** Keeps the page's thread busy. */
  spin(time: number): void;
}

const text = "x".repeat(100);
const chunkSize = 64 * 1_024;

let caller: Caller | undefined;
let end: (() => void) | undefined;
let sending = Promise.resolve();
let stopped = false;

const page: BenchPage = {
  arrival: createArrival(),
  answer(name, room) {
    const signals = createSignals(room);
    const stop = contestants[name].answer(signals, page.arrival.take);
    end = () => {
      stop();
      signals.close();
    };
  },
  async dial(name, room, settings) {
    const signals = createSignals(room);
    const begun = performance.now();
    const dialed = await contestants[name].dial(signals, settings);
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
  async oneAtATime(count) {
    const times: number[] = [];
    for (let index = 0; index < count; index++) times.push(await timeOfCall());
    return times;
  },
  async inFlight(inFlight, duration) {
    const { call } = caller!;
    const begun = performance.now();
    let answered = 0;
    let over = false;
    setTimeout(() => {
      over = true;
    }, duration);
    const keepCalling = async () => {
      while (!over) {
        await call(text);
        answered++;
      }
    };
    await Promise.all(Array.from({ length: inFlight }, keepCalling));
    return (answered * 1_000) / (performance.now() - begun);
  },
  async sporadic(rate, duration) {
    const until = performance.now() + duration;
    const calls: Promise<number>[] = [];
    while (performance.now() < until) {
      const pause = (-Math.log(1 - Math.random()) * 1_000) / rate;
      await new Promise((resolve) => setTimeout(resolve, pause));
      calls.push(timeOfCall());
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
  measureState,
  spin(time) {
    const until = performance.now() + time;
    while (performance.now() < until);
  },
};

async function timeOfCall(): Promise<number> {
  const begun = performance.now();
  await caller!.call(text);
  return performance.now() - begun;
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
