import { afterEach, beforeEach, expect, test } from "vitest";
import type { Client } from "../../core/index.ts";
import { createNetwork } from "../../core/testing/network.ts";

let ann: Client;
let bob: Client;

beforeEach(async () => {
  const network = createNetwork();
  [ann, bob] = [network.client("ann"), network.client("bob")];
  await bob.connect("test", "bob", "");
  await ann.connect("test", "ann", "");
  bob.module("Echo", ({ request }) => request);
});

afterEach(async () => {
  await Promise.all([ann.disconnect(), bob.disconnect()]);
});

const askBob = (request: unknown) => ann.get("bob").call("Echo", request).first();

test("data wrapped by $state arrives as plain data, at any depth", async () => {
  const data = { list: [{ n: 1 }, undefined], map: new Map([["a", { deep: [new Date(0)] }]]), odd: { __proto__x: 1n } };
  const state = $state(data);
  expect(await askBob(state)).toEqual(data);
});

test("a handler may return wrapped data", async () => {
  const list = $state([{ n: 1 }]);
  bob.module("List", () => list);
  expect(await ann.get("bob").call("List").first()).toEqual([{ n: 1 }]);
});

test("$state may hold queries, peers, targets, files and streams", async () => {
  bob.module("Read", async ({ request: { lines } }) => {
    const read: unknown[] = [];
    for await (const line of lines) read.push(line);
    return read;
  });
  async function* lines() {
    yield 1;
  }
  const state = $state({
    query: { user: "bob" },
    lines: lines(),
    file: new File(["hello"], "a.txt"),
    got: [] as any[],
  });
  const holder = $state({ target: ann.get(state.query) });
  expect(await holder.target.call("Read", { lines: state.lines }).first()).toEqual([1]);
  state.got.push(await askBob({ file: state.file, peer: ann.peers.peek()[0] }));
  const [echoed] = await askBob(state.got);
  expect(await (await echoed.file.blob()).text()).toBe("hello");
  expect(echoed.peer).toEqual({ id: bob.getId(), name: "bob", profile: {} });
});
