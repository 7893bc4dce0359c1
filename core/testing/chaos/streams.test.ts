import type { StandardSchemaV1 } from "@standard-schema/spec";
import { expect, test } from "vitest";
import { fc, runs } from "../../../tools/property.ts";
import type { Client } from "../../client.ts";
import { BonevalueError } from "../../errors.ts";
import { defineModule } from "../../rpc/module.ts";
import type { IncomingStream } from "../../rpc/streams/incoming-stream.ts";
import { iterate } from "../../rpc/streams/iterate.ts";
import { createWorld, disturbances, leaveAll, settleWorld, step, type World } from "./world.ts";

/** What a producer makes: items of so many bytes, so many ms apart, and perhaps an error behind the last. */
interface Making {
  readonly as: "generator" | "stream";
  readonly items: number;
  readonly bytes: number;
  readonly pause: number;
  readonly fails: boolean;
}

/** What a consumer takes: so many items, with so many ms between them, before it leaves. `0`: it never looks. */
interface Taking {
  readonly items: number;
  readonly pause: number;
}

/** A call or a message with streams both ways. Times in ms. */
interface Trade {
  readonly there: Making | undefined;
  readonly takesThere: Taking;
  readonly back: Making | "echo" | undefined;
  readonly takesBack: Taking;
  /** The handler answers when it has taken what it takes, or at once. */
  readonly answersLast: boolean;
  readonly throws: boolean;
  /** How long each side's contract looks at what arrives. */
  readonly checks: number;
  readonly abortsAfter: number | undefined;
}

/** Whether a producer will never make anything again, and has cleaned up. */
type IsOver = () => boolean;

interface Reading {
  /** What was made; an echo is as long as what it has read. */
  readonly made: Making;
  readonly read: number[];
  /** "done", "left", or an error. */
  ended?: unknown;
}

interface TradingWorld extends World {
  readonly sources: IsOver[];
  readonly readings: Reading[];
  /** Each call and message, as it was made and as it reached a handler. */
  readonly made: Trade[];
  readonly handled: string[];
  /** Whether each call has all of its replies. */
  readonly ended: boolean[];
}

type Items = IncomingStream<Uint8Array>;

const after = ({ clock }: World, ms: number) =>
  ms > 0 ? new Promise<void>((resolve) => void clock.after(ms, resolve)) : undefined;

function make(world: TradingWorld, making: Making, items: AsyncIterable<Uint8Array> = itemsOf(world, making)) {
  let begun = false;
  let over = false;
  async function* generate(): AsyncGenerator<Uint8Array, void, void> {
    begun = true;
    try {
      yield* items;
    } finally {
      over = true;
    }
  }
  const generator = generate();
  const source: AsyncIterableIterator<Uint8Array> = {
    next: () => generator.next(),
    return() {
      // One that was ended before it began runs nothing.
      over ||= !begun;
      return generator.return();
    },
    [Symbol.asyncIterator]: () => source,
  };
  world.sources.push(() => over);
  return making.as === "generator" ? source : streamOf(source);
}

async function* itemsOf(world: World, { items, bytes, pause, fails }: Making): AsyncGenerator<Uint8Array, void, void> {
  for (let item = 0; item < items; item++) {
    await after(world, pause);
    yield new Uint8Array(bytes).fill(item);
  }
  if (fails) throw new Error("The producer failed.");
}

function streamOf(source: AsyncIterableIterator<Uint8Array>): ReadableStream<Uint8Array> {
  const pull = async (controller: ReadableStreamDefaultController) => {
    const { done, value } = await source.next();
    if (done) controller.close();
    else controller.enqueue(value);
  };
  return new ReadableStream({ pull, cancel: async () => void (await source.return?.()) }, { highWaterMark: 0 });
}

/** Reads as `taking` says, and writes down what came and how it ended. Never rejects. */
async function read(world: TradingWorld, items: Items, made: Making, taking: Taking): Promise<void> {
  const reading: Reading = { made, read: [] };
  world.readings.push(reading);
  const reader = items.getReader();
  try {
    let next = await reader.read();
    while (!next.done && reading.read.push(numberOf(next.value, made.bytes)) < taking.items) {
      await after(world, taking.pause);
      next = await reader.read();
    }
    await reader.cancel();
    reading.ended = next.done ? "done" : "left";
  } catch (error) {
    reading.ended = error;
  }
}

/** The number that all bytes of an item are. */
function numberOf(item: Uint8Array, bytes: number): number {
  const [first = -1] = item;
  return item.length === bytes && item.every((byte) => byte === first) ? first : -1;
}

interface Request {
  readonly id: number;
  readonly trade: Trade;
  readonly items?: Items;
}

/** A schema that accepts everything, after so many ms. */
function late<Value>(world: World, pause: (value: Value) => number): StandardSchemaV1<any, Value> {
  const validate = (given: unknown) => {
    const value = given as Value;
    return after(world, pause(value))?.then(() => ({ value })) ?? { value };
  };
  return { "~standard": { version: 1, vendor: "chaos", validate } };
}

function offerTrade(world: TradingWorld, client: Client): void {
  const contract = defineModule("Trade", { request: late<Request>(world, ({ trade }) => trade.checks) });
  client.module(contract, async ({ request: { id, trade, items } }) => {
    world.handled.push(`${id} by ${world.clients.indexOf(client)}`);
    const { there, takesThere, back, answersLast, throws } = trade;
    if (items && there && back === "echo" && !throws) return make(world, there, iterate(items));
    const taken = items && there && takesThere.items > 0 && read(world, items, there, takesThere);
    if (answersLast) await taken;
    if (throws) throw new Error("The handler failed.");
    return back && back !== "echo" ? make(world, back) : "nothing";
  });
}

function request(world: TradingWorld, trade: Trade): unknown {
  return { id: world.made.push(trade), trade, items: trade.there && make(world, trade.there) };
}

async function call(world: TradingWorld, client: Client, query: string, trade: Trade): Promise<void> {
  const controller = new AbortController();
  const { back, there, takesBack, abortsAfter = Number.POSITIVE_INFINITY } = trade;
  world.clock.after(abortsAfter, () => controller.abort());
  const index = world.ended.push(false) - 1;
  const contract = defineModule("Trade", { response: late<any>(world, () => trade.checks) });
  const replies = client
    .get(query)
    .call(contract, request(world, trade), { timeout: 12_000, signal: controller.signal });
  for await (const { status, value, error } of replies) {
    if (status === "rejected") expect(error).toBeInstanceOf(BonevalueError);
    else if (value !== "nothing" && takesBack.items > 0) {
      void read(world, value, back === "echo" ? there! : (back as Making), takesBack);
    }
  }
  world.ended[index] = true;
}

const happenings = {
  ...disturbances,
  call: (world: TradingWorld, client: Client, other: Client, trade: Trade) =>
    void call(world, client, other.getId() ?? "*", trade),
  callEach: (world: TradingWorld, client: Client, _: Client, trade: Trade) => void call(world, client, "*", trade),
  message: (world: TradingWorld, client: Client, other: Client, trade: Trade) =>
    client.get(other.getId() ?? "*").message("Trade", request(world, trade)),
};

const making: fc.Arbitrary<Making> = fc.record({
  as: fc.constantFrom("generator", "stream"),
  items: fc.nat(6),
  bytes: fc.constantFrom(1, 20_000, 150_000),
  pause: fc.constantFrom(0, 0, 30, 900),
  fails: fc.boolean(),
});

const taking: fc.Arbitrary<Taking> = fc.record({
  items: fc.constantFrom(0, 1, 3, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY),
  pause: fc.constantFrom(0, 0, 30, 900),
});

const trade: fc.Arbitrary<Trade> = fc.record({
  there: fc.option(making, { nil: undefined }),
  takesThere: taking,
  back: fc.oneof(fc.constantFrom(undefined, "echo" as const), making),
  takesBack: taking,
  answersLast: fc.boolean(),
  throws: fc.constantFrom(false, false, false, true),
  checks: fc.constantFrom(0, 0, 30, 900, 20_000),
  abortsAfter: fc.option(fc.oneof(fc.nat(200), fc.nat(5_000)), { nil: undefined }),
});

function check({ made, read, ended }: Reading): void {
  expect(read).toEqual(Array.from(read, (_, item) => item));
  if (ended === "done") expect([read.length, made.fails]).toEqual([made.items, false]);
  else if (ended !== "left") expect(ended).toBeInstanceOf(BonevalueError);
}

test("in every history each stream completes or fails on both sides, and leaves nothing behind", async () => {
  // Half of what happens is trade.
  const trades = ["call", "call", "call", "callEach", "message", "message"] as const;
  const what = [...(Object.keys(disturbances) as (keyof typeof disturbances)[]), ...trades, ...trades];
  const history = fc.array(fc.tuple(step(what), trade), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 5 }), history, fc.nat(), async (size, story, seed) => {
      const options = { maxLinks: 2, idleTimeout: 5_000, limits: { streamsPerPeer: 6 }, bandwidth: 5_000_000 };
      const records = { sources: [], readings: [], made: [], handled: [], ended: [] };
      const world: TradingWorld = { ...createWorld(size, seed, options), ...records };
      const { clock, network, clients, sources, readings, handled, ended } = world;
      for (const client of clients) offerTrade(world, client);
      await clock.advance(500);
      for (const [{ what, whose, other, pause }, trade] of story) {
        happenings[what](world, clients[whose % size] as Client, clients[other % size] as Client, trade);
        await clock.advance(pause);
      }
      await settleWorld(world, 240_000);

      expect(ended).toEqual(ended.map(() => true));
      expect(new Set(handled).size).toBe(handled.length);
      for (const reading of readings) check(reading);
      expect(sources.map((isOver) => isOver())).toEqual(sources.map(() => true));
      expect(network.links).toBe(0);
      await leaveAll(world);
      expect(clock.waiting).toBe(0);
    }),
    { numRuns: runs(200) },
  );
}, 3_600_000);
