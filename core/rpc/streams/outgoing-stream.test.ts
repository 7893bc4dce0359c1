import { createReadStream, Dir, openAsBlob } from "node:fs";
import { mkdtemp, opendir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { runInNewContext } from "node:vm";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../../tools/eventually.ts";
import type { Client } from "../../client.ts";
import { createNetwork } from "../../testing/network.ts";
import type { RemoteFile } from "./remote-file.ts";
import { file, stream } from "./stream-schema.ts";
import { all, code, createLinkedPair } from "./testing/linked-pair.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "streams-"));
  for (const name of ["a", "b", "c"]) await writeFile(join(folder, name), "line\n".repeat(20_000));
});

afterAll(() => rm(folder, { recursive: true }));

/** A queue of an app: each item goes to the first loop that asks for it. */
class Queue {
  readonly #items = Array.from({ length: 500 }, (_, index) => index);

  [Symbol.asyncIterator]() {
    return this.values();
  }

  async *values() {
    for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) yield item;
  }
}

const numbers = Array.from({ length: 500 }, (_, index) => index);

const singleUse: readonly (readonly [name: string, make: () => unknown, amount: number])[] = [
  ["fs.createReadStream", () => createReadStream(join(folder, "a")), 100_000],
  ["Readable.from", () => Readable.from(numbers), 500],
  ["a readline interface", () => createInterface({ input: createReadStream(join(folder, "a")) }), 20_000],
  ["an instance of a class", () => new Queue(), 500],
];

/** Returns how much was read from a stream: its bytes, or the number of its items. */
async function amount(items: AsyncIterable<unknown>): Promise<number> {
  const read = await all(items);
  return read.reduce<number>((sum, item) => sum + (item instanceof Uint8Array ? item.length : 1), 0);
}

describe("an iterable that is consumed by reading", () => {
  test.each(singleUse)("reaches every peer completely: %s", async (_, make, expected) => {
    const network = createNetwork();
    const names = ["ann", "bob", "cid", "dan"];
    const clients = names.map((username) => network.client(username));
    for (const [index, client] of clients.entries()) await client.connect("test", names[index]!, "");
    const [ann, ...others] = clients as [Client, ...Client[]];
    await eventually(() => expect(ann.peers.peek()).toHaveLength(others.length));
    for (const other of others) other.module("Count", ({ request }) => amount(request));
    const replies = await ann.get("*").call("Count", make()).all();
    expect(replies.map(({ value, error }) => error ?? value)).toEqual([expected, expected, expected]);
  });

  test.each([...singleUse, ["fs.Dir", () => opendir(folder), 0] as const])(
    "is rejected when it was sent before, or is in a value twice: %s",
    async (_, make) => {
      const { ann, bob, until } = createLinkedPair();
      bob.module("Count", ({ request }) => amount(request).catch(() => 0));
      const source = await make();
      await until(ann.call("Count", source).first());
      await expect(until(ann.call("Count", source).first())).rejects.toEqual(code("unsupported"));
      const other = await make();
      await expect(until(ann.call("Count", [other, other]).first())).rejects.toEqual(code("unsupported"));
      if (other instanceof Dir) await expect(other.close()).rejects.toThrow("closed");
    },
  );

  test("an fs.Dir is closed when its request fails before or while it is read", async () => {
    const { ann, bob, clock } = createLinkedPair();
    bob.module("First", async ({ request }) => {
      for await (const entry of request) return entry.name;
    });
    const folders = await Promise.all([opendir(folder), opendir(folder)]);
    await expect(ann.call("Any", { stream: folders[0], run() {} }).first()).rejects.toEqual(code("invalid-request"));
    // An entry of a folder cannot be sent.
    const failed = expect(ann.call("First", folders[1]).first()).rejects.toEqual(code("invalid-request"));
    await eventually(async () => {
      await clock.advance(10);
      for (const dir of folders) await expect(dir.read()).rejects.toThrow("closed");
    });
    await failed;
  });

  test("a Node stream is destroyed when its request cannot be sent", async () => {
    const { ann } = createLinkedPair();
    const stream = createReadStream(join(folder, "a"));
    await expect(ann.call("Any", { stream, run() {} }).first()).rejects.toEqual(code("invalid-request"));
    await eventually(() => expect(stream.closed).toBe(true));
  });
});

test("an object literal that returns one iterator twice fails its second stream", async () => {
  const { ann, bob, until } = createLinkedPair();
  bob.module("Count", ({ request }) => amount(request));
  const iterator = new Queue().values();
  const items = { [Symbol.asyncIterator]: () => iterator };
  expect(await until(ann.call("Count", items).first())).toBe(500);
  await expect(until(ann.call("Count", items).first())).rejects.toEqual(code("unsupported"));
});

test("an object literal with a generator method is read from its start for each peer and each call", async () => {
  const { ann, bob, until } = createLinkedPair();
  bob.module("Count", ({ request }) => amount(request));
  const items = {
    async *[Symbol.asyncIterator]() {
      yield* numbers;
    },
  };
  for (let call = 0; call < 2; call++) expect(await until(ann.call("Count", items).first())).toBe(500);
});

describe("a file that changes", () => {
  function shrunk(size: number): Blob {
    const blob = new Blob([new Uint8Array(size)]);
    return Object.assign(blob, { stream: () => new Blob([new Uint8Array(size / 2)]).stream() });
  }

  async function readingOf(file: Blob) {
    const pair = createLinkedPair();
    pair.bob.module("Get", () => ({ file }));
    const received: RemoteFile = (await pair.until(pair.ann.call("Get").first())).file;
    return { ...pair, error: await pair.until(received.blob()).catch((error) => error) };
  }

  test.each([200_000, 100])(
    "ends its stream when it has %i bytes fewer than stated, and the link goes on",
    async (size) => {
      const { ann, bob, until, error } = await readingOf(shrunk(size));
      expect(error).toMatchObject({ message: expect.stringContaining("file changed while it was being sent") });
      expect([ann.ended, bob.ended]).toEqual([undefined, undefined]);
      bob.module("Any", () => 1);
      expect(await until(ann.call("Any").first())).toBe(1);
    },
  );

  test("ends its stream when it has more bytes than stated", async () => {
    const blob = Object.assign(new Blob(["abc"]), { stream: () => new Blob(["abcdef"]).stream() });
    const { ann, error } = await readingOf(blob);
    expect(error).toMatchObject({ message: expect.stringContaining("file changed while it was being sent") });
    expect(ann.ended).toBeUndefined();
  });

  test("on disk, before it was read", async () => {
    const path = join(folder, "b");
    const blob = await openAsBlob(path);
    await truncate(path, 10);
    const { ann, error } = await readingOf(blob);
    expect(error).toMatchObject({ message: expect.stringContaining("file was changed or deleted") });
    expect(ann.ended).toBeUndefined();
  });

  test("on disk, deleted before it was read", async () => {
    const path = join(folder, "c");
    const blob = await openAsBlob(path);
    await rm(path);
    const { error } = await readingOf(blob);
    expect(error).toMatchObject({ message: expect.stringContaining("file was changed or deleted") });
  });

  test("that a stream's reader gets in the same page", async () => {
    const received = v.parse(file(), shrunk(100));
    await expect(received.blob()).rejects.toThrow("file changed while it was being sent");
  });
});

describe("objects of another realm", () => {
  /** Turns `object` into one of another realm: its prototype has the same members, but is another object. */
  function foreign<T extends object>(object: T): T {
    const prototype = Object.getPrototypeOf(object);
    const parent = Object.getPrototypeOf(prototype);
    const copy = (original: object, end: object) => Object.create(end, Object.getOwnPropertyDescriptors(original));
    const copied = parent === Object.prototype ? Object.prototype : copy(parent, Object.prototype);
    return Object.setPrototypeOf(object, copy(prototype, copied));
  }

  test.each([
    ["a Blob", () => foreign(new Blob(["abc"], { type: "x/y" })), ""],
    ["a File", () => foreign(new File(["abc"], "a.txt", { type: "x/y" })), "a.txt"],
  ])("%s is sent as a file", async (_, make, name) => {
    const { ann, bob, until } = createLinkedPair();
    const schema = file();
    bob.module("Get", () => v.parse(v.object({ file: v.any() }), { file: make() }));
    const received: RemoteFile = (await until(ann.call("Get").first())).file;
    expect({ ...received }).toMatchObject({ name, type: "x/y", size: 3 });
    expect(await (await until(received.blob())).text()).toBe("abc");
    expect(v.parse(schema, make())).toMatchObject({ name, size: 3 });
  });

  test("a ReadableStream is locked, as ours is", async () => {
    const { ann, bob, until } = createLinkedPair();
    bob.module("Count", ({ request }) => amount(request));
    const stream = foreign(new ReadableStream({ start: enqueueAll }));
    Object.defineProperty(stream, Symbol.asyncIterator, { value: undefined });
    expect(v.is(fileOrStream, stream)).toBe(true);
    expect(await until(ann.call("Count", stream).first())).toBe(500);
    expect(stream.locked).toBe(true);
  });

  test("an Error that a handler throws crosses with its message", async () => {
    const { ann, bob, until } = createLinkedPair();
    const error = runInNewContext("new TypeError('no such day')");
    bob.module("Fail", () => {
      throw error;
    });
    await expect(until(ann.call("Fail").first())).rejects.toMatchObject({
      code: "handler-failed",
      message: "no such day",
      data: undefined,
    });
  });
});

function enqueueAll(controller: ReadableStreamDefaultController<unknown>) {
  for (const number of numbers) controller.enqueue(number);
  controller.close();
}

const fileOrStream = v.union([file(), stream(v.any())]);
