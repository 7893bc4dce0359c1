import { expect, test } from "vitest";
import { eventually } from "../tools/eventually.ts";
import type { Client } from "./client.ts";
import type { IncomingStream } from "./rpc/streams/incoming-stream.ts";
import type { RemoteFile } from "./rpc/streams/remote-file.ts";
import { createNetwork, type Network } from "./testing/network.ts";
import { createVirtualClock } from "./testing/virtual-clock.ts";

/** Signs in one client for each name. */
async function signIn(network: Network, ...usernames: string[]): Promise<Client[]> {
  const clients = usernames.map((username) => network.client(username, { idleTimeout: 5_000 }));
  for (const [index, client] of clients.entries()) await client.connect("test", usernames[index]!, "");
  await Promise.all(
    clients.map((client) => eventually(() => expect(client.peers.peek()).toHaveLength(clients.length - 1))),
  );
  return clients;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const read: T[] = [];
  for await (const item of items) read.push(item);
  return read;
}

async function* count(to: number): AsyncGenerator<number, void, void> {
  for (let n = 1; n <= to; n++) yield n;
}

async function sha256(bytes: BufferSource): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

test("the first call to a peer may hold a stream", async () => {
  const [ann, bob] = (await signIn(createNetwork(), "ann", "bob")) as [Client, Client];
  bob.module("Sum", async ({ request }) => (await all<number>(request)).reduce((a, b) => a + b));
  expect(await ann.get("bob").call("Sum", count(10)).first()).toBe(55);
});

test("each peer gets every item of a generator, and the whole of a file", async () => {
  const [ann, ...others] = (await signIn(createNetwork(), "ann", "bob", "cid", "dan")) as [Client, ...Client[]];
  for (const other of others) {
    other.module("Take", async ({ request: { items, file } }) => [(await all(items)).length, (await file.blob()).size]);
  }
  const replies = await ann
    .get("*")
    .call("Take", { items: count(500), file: new Blob([new Uint8Array(300_000)]) })
    .all();
  expect(replies.map(({ value }) => value)).toEqual(others.map(() => [500, 300_000]));
});

test("a peer that fails does not hold up the others of a stream", async () => {
  const [ann, bob, cid] = (await signIn(createNetwork(), "ann", "bob", "cid")) as [Client, Client, Client];
  bob.module("Take", async ({ request }) => (await all(request)).length);
  cid.module("Take", async ({ request }) => {
    for await (const item of request) if (item === 3) throw new Error("enough");
  });
  const replies = await ann.get("*").call("Take", count(20)).all();
  expect(replies.map(({ value, error }) => value ?? error?.message).sort()).toEqual([20, "enough"]);
});

test("ten megabytes there and back keep their hash", async () => {
  const [ann, bob] = (await signIn(createNetwork(), "ann", "bob")) as [Client, Client];
  bob.module("Echo", ({ request }) => request);
  const bytes = Uint8Array.from({ length: 10_000_000 }, (_, index) => (index * index) % 253);
  const file: RemoteFile = await ann
    .get("bob")
    .call("Echo", new File([bytes], "a.bin"))
    .first();
  const blob = await file.blob();
  expect(await sha256(await blob.arrayBuffer())).toEqual(await sha256(bytes));
});

test("a link with a quiet stream stays open, and is closed when nothing needs it any more", async () => {
  const clock = createVirtualClock();
  const network = createNetwork({ clock, latency: 10 });
  const clients = signIn(network, "ann", "bob");
  await clock.advance(1_000);
  const [ann, bob] = (await clients) as [Client, Client];
  let feed: ReadableStreamDefaultController<number> | undefined;
  bob.module("Feed", () => {
    const start = (controller: ReadableStreamDefaultController<number>) => {
      feed = controller;
    };
    return new ReadableStream<number>({ start });
  });
  const answer = ann.get("bob").call("Feed").first();
  await clock.advance(1_000);
  const reader = ((await answer) as IncomingStream<number>).getReader();
  const read = reader.read();
  await clock.advance(3_600_000);
  feed?.enqueue(1);
  await clock.advance(1_000);
  expect([(await read).value, network.links]).toEqual([1, 2]);
  feed?.close();
  await clock.advance(60_000);
  expect(network.links).toBe(0);
});

test("a message's streams keep its link, which is closed after them", async () => {
  const clock = createVirtualClock();
  const network = createNetwork({ clock, latency: 10 });
  const clients = signIn(network, "ann", "bob");
  await clock.advance(1_000);
  const [ann, bob] = (await clients) as [Client, Client];
  let read = 0;
  bob.module("Log", async ({ request }) => {
    for await (const _ of request) read++;
  });
  async function* hourly() {
    for (let hour = 0; hour < 3; hour++)
      yield await new Promise<number>((resolve) => void clock.after(3_600_000, () => resolve(hour)));
  }
  ann.get("bob").message("Log", hourly());
  await clock.advance(2.5 * 3_600_000);
  expect([read, network.links]).toEqual([2, 2]);
  await clock.advance(3_600_000);
  expect([read, network.links]).toEqual([3, 0]);
});

test("the loss of a link is `disconnected` for the readers on both sides", async () => {
  const network = createNetwork();
  const [ann, bob] = (await signIn(network, "ann", "bob")) as [Client, Client];
  const ends: Promise<unknown>[] = [];
  bob.module("Both", ({ request }) => {
    ends.push(all(request).catch(({ code }) => code));
    return endless();
  });
  const answer: IncomingStream<number> = await ann.get("bob").call("Both", endless()).first();
  ends.push(all(answer).catch(({ code }) => code));
  await eventually(() => expect(ends).toHaveLength(2));
  network.drop(bob.getId()!);
  expect(await Promise.all(ends)).toEqual(["disconnected", "disconnected"]);
});

async function* endless(): AsyncGenerator<number, void, void> {
  for (let n = 0; ; n++) yield n;
}

test("signing out ends what is in flight, on both sides", async () => {
  const [ann, bob] = (await signIn(createNetwork(), "ann", "bob")) as [Client, Client];
  let signal: AbortSignal | undefined;
  bob.module("Feed", (context) => {
    signal = context.signal;
    return endless();
  });
  const reader = (await ann.get("bob").call("Feed").first()).getReader();
  await reader.read();
  await ann.disconnect();
  await expect(all({ [Symbol.asyncIterator]: () => ({ next: () => reader.read() }) })).rejects.toMatchObject({
    code: "cancelled",
  });
  await eventually(() => expect(signal?.reason).toMatchObject({ code: "disconnected" }));
});
