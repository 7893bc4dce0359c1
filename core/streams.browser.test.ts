import { afterEach, expect, test } from "vitest";
import { eventually } from "../tools/eventually.ts";
import { type Client, createClient } from "./client.ts";
import { createMemoryDiscovery } from "./discovery/memory.ts";
import type { IncomingStream } from "./rpc/streams/incoming-stream.ts";
import type { FileProgress, RemoteFile } from "./rpc/streams/remote-file.ts";

const megabyte = 1_024 * 1_024;
const chunk = 64 * 1_024;

let clients: Client[] = [];

/** Two clients that reach each other over real data channels. */
async function pair(): Promise<[ann: Client, bob: Client]> {
  const discovery = createMemoryDiscovery();
  const create = () => createClient({ discovery });
  const [ann, bob] = [create(), create()];
  clients = [ann, bob];
  discovery.addUser("ann", "");
  discovery.addUser("bob", "");
  discovery.trust("ann", "bob", "bob", "ann");
  await Promise.all([ann.connect("test", "ann", ""), bob.connect("test", "bob", "")]);
  await eventually(() => expect([ann.peers.peek(), bob.peers.peek()].flat()).toHaveLength(2));
  return [ann, bob];
}

afterEach(async () => {
  await Promise.all(clients.map((client) => client.disconnect()));
});

/** Chunks that say which they are. */
async function* chunks(count: number): AsyncGenerator<Uint32Array, void, void> {
  for (let n = 0; n < count; n++) yield new Uint32Array(chunk / 4).fill(n);
}

test("a hundred megabytes arrive in order and whole", { timeout: 60_000 }, async () => {
  const [ann, bob] = await pair();
  const count = (100 * megabyte) / chunk;
  bob.module("Bytes", () => chunks(count));
  let n = 0;
  for await (const item of (await ann.get("bob").call("Bytes").first()) as IncomingStream<Uint32Array>) {
    if (item.length !== chunk / 4 || item[0] !== n || item.at(-1) !== n) throw new Error(`chunk ${n} is not itself`);
    n++;
  }
  expect(n).toBe(count);
});

test("an abort reaches the producer, and the link serves on", async () => {
  const [ann, bob] = await pair();
  let cleanedUp = false;
  let reason: unknown;
  bob.module("Echo", ({ request }) => request);
  bob.module("Endless", async function* ({ signal }) {
    signal.addEventListener("abort", () => {
      reason = signal.reason;
    });
    try {
      yield* chunks(Number.POSITIVE_INFINITY);
    } finally {
      cleanedUp = true;
    }
  });
  const controller = new AbortController();
  const items: IncomingStream<Uint32Array> = await ann
    .get("bob")
    .call("Endless", null, { signal: controller.signal })
    .first();
  let read = 0;
  const reading = (async () => {
    for await (const _ of items) if (++read === 50) controller.abort();
  })();
  await expect(reading).rejects.toMatchObject({ code: "cancelled" });
  await eventually(() => expect(cleanedUp).toBe(true));
  expect(reason).toMatchObject({ code: "cancelled" });
  expect(await ann.get("bob").call("Echo", "still here").first()).toBe("still here");
});

test("a file keeps its hash on its way there and back", { timeout: 60_000 }, async () => {
  const [ann, bob] = await pair();
  const bytes = new Uint8Array(20 * megabyte);
  for (let at = 0; at < bytes.length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  bob.module("Echo", ({ request }) => request);
  const progress: number[] = [];
  const file: RemoteFile = await ann
    .get("bob")
    .call("Echo", new File([bytes], "noise", { type: "x/y" }), { onProgress: ({ sent }) => progress.push(sent) })
    .first();
  expect(file).toMatchObject({ name: "noise", type: "x/y", size: bytes.length });
  const received: FileProgress[] = [];
  const back = await file.blob({ onProgress: (now) => received.push(now) });
  expect(back.type).toBe("x/y");
  const [there, here] = await Promise.all(
    [bytes, await back.arrayBuffer()].map((data) => crypto.subtle.digest("SHA-256", data)),
  );
  expect(new Uint8Array(here!)).toEqual(new Uint8Array(there!));
  expect(progress.at(-1)).toBe(bytes.length);
  expect(received.at(-1)).toEqual({ received: bytes.length, total: bytes.length });
  // At most one for each read chunk, and not only the first and the last.
  expect(received.length).toBeGreaterThan(10);
  expect(received.length).toBeLessThan(bytes.length / chunk);
});

test("a file whose reader aborts stops its sender", async () => {
  const [ann, bob] = await pair();
  const ended = Promise.withResolvers<unknown>();
  bob.module("Get", ({ signal }) => {
    signal.addEventListener("abort", () => ended.resolve(signal.reason));
    return new Blob([new Uint8Array(20 * megabyte)]);
  });
  const controller = new AbortController();
  const file: RemoteFile = await ann.get("bob").call("Get").first();
  const onProgress = ({ received }: FileProgress) => {
    if (received > megabyte) controller.abort();
  };
  const reading = file.blob({ signal: controller.signal, onProgress });
  await expect(reading).rejects.toMatchObject({ code: "cancelled" });
  expect(await ended.promise).toMatchObject({ code: "cancelled" });
});

test("objects of an iframe cross: built-in types, files, streams and errors", async () => {
  const [ann, bob] = await pair();
  const frame = document.body.appendChild(document.createElement("iframe"));
  const realm = frame.contentWindow as unknown as typeof globalThis;
  bob.module("Echo", ({ request }) => request);
  bob.module("Fail", () => {
    throw new realm.RangeError("no such day");
  });
  const value = {
    when: new realm.Date(5),
    ages: new realm.Map([["ann", new realm.Set([7n])]]),
    buffer: new realm.Uint8Array([1, 2]).buffer,
    view: new realm.Float32Array([1.5]),
    list: realm.Array.of<unknown>(1, realm.Object.fromEntries([["x", null]])),
  };
  expect(await ann.get("bob").call("Echo", value).first()).toStrictEqual({
    when: new Date(5),
    ages: new Map([["ann", new Set([7n])]]),
    buffer: Uint8Array.of(1, 2).buffer,
    view: Float32Array.of(1.5),
    list: [1, { x: null }],
  });
  for (const file of [new realm.File(["abc"], "a.txt"), new realm.Blob(["abc"])]) {
    const received = (await ann.get("bob").call("Echo", file).first()) as RemoteFile;
    expect(await (await received.blob()).text()).toBe("abc");
  }
  const stream = new realm.Blob(["abc"]).stream();
  let length = 0;
  for await (const bytes of (await ann.get("bob").call("Echo", stream).first()) as IncomingStream<Uint8Array>) {
    length += bytes.length;
  }
  expect(length).toBe(3);
  await expect(ann.get("bob").call("Fail").first()).rejects.toMatchObject({ message: "no such day" });
  const message = (error: unknown) => (error as Error).message;
  expect(await ann.get("bob").call("Echo", new realm.Error("no")).first().catch(message)).toContain(
    "instance of Error",
  );
  frame.remove();
});
