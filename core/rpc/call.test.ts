import { getEventListeners } from "node:events";
import * as v from "valibot";
import { describe, expect, test, vi } from "vitest";
import type { Client, ClientOptions } from "../client.ts";
import { createNetwork, type Network } from "../testing/network.ts";
import { createVirtualClock, type VirtualClock } from "../testing/virtual-clock.ts";
import { defineModule } from "./module.ts";
import type { Replies } from "./replies.ts";
import { all, code, createLinkedPair } from "./streams/testing/linked-pair.ts";

interface World {
  readonly clock: VirtualClock;
  readonly network: Network;
  readonly ann: Client;
  readonly others: readonly Client[];
}

const oneLink: ClientOptions = { maxLinks: 1 };

/** Ann and others, all signed in. */
async function world(options: ClientOptions, ...names: string[]): Promise<World> {
  const clock = createVirtualClock();
  const network = createNetwork({ clock, latency: 10, bandwidth: 1_000_000 });
  const ann = network.client("ann", options);
  const others = names.map((name) => network.client(name));
  ann.connect("test", "ann", "");
  for (const [index, other] of others.entries()) other.connect("test", names[index]!, "");
  await clock.advance(100);
  return { clock, network, ann, others };
}

async function* three(): AsyncGenerator<number, void, void> {
  yield* [1, 2, 3];
}

test.for([
  ["that holds a stream", three, 3],
  ["that is large", () => new Uint8Array(300_000), 300_000],
] as const)("a request %s arrives although only one link may be open", async ([, request, count]) => {
  const { clock, ann, others } = await world(oneLink, "bob", "cid", "dan");
  for (const other of others) {
    other.module("Count", async ({ request }) => {
      let items = 0;
      for await (const _ of request) items++;
      return items;
    });
  }
  const replies = ["bob", "cid", "dan"].map((name) => ann.get(name).call("Count", request()).first());
  await clock.advance(20_000);
  expect(await Promise.all(replies)).toEqual([count, count, count]);
});

test("a large message arrives although only one link may be open", async () => {
  const { clock, ann, others } = await world(oneLink, "bob", "cid");
  const onLog = vi.fn();
  for (const other of others) other.module("Log", ({ request }) => onLog(request.length));
  ann.get("*").message("Log", new Uint8Array(3_000_000));
  await clock.advance(120_000);
  expect(onLog.mock.calls).toEqual([[3_000_000], [3_000_000]]);
});

test("a message that finds no free link within 30 s is a `timeout`", async () => {
  const { clock, ann, others } = await world(oneLink, "bob", "cid");
  const errors: string[] = [];
  ann.on("error", ({ code }) => errors.push(code));
  others[0]!.module("Long", () => new Promise(() => {}));
  ann.get("bob").call("Long", 0, { timeout: 60_000 });
  ann.get("cid").message("Log", "hello");
  await clock.advance(29_000);
  expect(errors).toEqual([]);
  await clock.advance(2_000);
  expect(errors).toEqual(["timeout"]);
});

describe("peers that share one stream", () => {
  /** How many items each peer has counted, or why it has not. */
  async function counted(replies: Replies<any>): Promise<Record<string, unknown>> {
    const { pending, replies: arrived } = replies.state.peek();
    expect(pending).toBe(0);
    return Object.fromEntries(arrived.map(({ peer, value, error }) => [peer.name, error?.code ?? value]));
  }

  async function counting(maxLinks: number, ...names: string[]): Promise<World> {
    const made = await world({ maxLinks }, ...names);
    for (const other of made.others) {
      other.module("Near", () => "here");
      other.module("Count", async ({ request }) => {
        let items = 0;
        for await (const _ of request) items++;
        return items;
      });
    }
    return made;
  }

  test("do not wait for a peer without a free link", async () => {
    const { clock, ann } = await counting(2, "bob", "cid", "dan", "eve");
    const replies = ann.get("*").call("Count", three());
    await clock.advance(1_000);
    expect(await counted(replies)).toEqual({ bob: 3, cid: 3, dan: "busy", eve: "busy" });
  });

  test("do not wait for a peer whose link another call prevents", async () => {
    const { clock, ann, others } = await counting(2, "bob", "cid", "dan");
    others[0]!.module("Long", () => new Promise(() => {}));
    ann.get("bob").call("Long");
    const replies = ann.get({ peers: others.slice(1).map((other) => other.getId()!) }).call("Count", three());
    await clock.advance(1_000);
    expect(await counted(replies)).toEqual({ cid: 3, dan: "busy" });
  });

  test("wait for peers for which an idle link is closed", async () => {
    const { clock, ann, others } = await counting(2, "bob", "cid", "dan", "eve");
    const near = ann.get({ peers: others.slice(0, 2).map((other) => other.getId()!) }).call("Near");
    await clock.advance(1_000);
    expect(await near.all()).toHaveLength(2);
    const replies = ann.get({ peers: others.slice(2).map((other) => other.getId()!) }).call("Count", three());
    await clock.advance(2_000);
    expect(await counted(replies)).toEqual({ dan: 3, eve: 3 });
  });

  test("do not wait for a peer whose own link was closed for another of them", async () => {
    const { clock, ann, others } = await counting(2, "bob", "cid", "dan");
    const near = ann.get({ peers: others.slice(1).map((other) => other.getId()!) }).call("Near");
    await clock.advance(1_000);
    expect(await near.all()).toHaveLength(2);
    const replies = ann.get("*").call("Count", three());
    await clock.advance(2_000);
    expect(Object.values(await counted(replies)).sort()).toEqual([3, 3, "busy"]);
  });

  test("do not wait for a peer of a message either", async () => {
    const { clock, ann, others } = await world(oneLink, "bob", "cid");
    const errors: string[] = [];
    const read: number[] = [];
    ann.on("error", ({ code }) => errors.push(code));
    for (const other of others) {
      other.module("Log", async ({ request }) => {
        for await (const item of request) read.push(item);
      });
    }
    ann.get("*").message("Log", three());
    await clock.advance(1_000);
    expect([read, errors]).toEqual([[1, 2, 3], ["busy"]]);
    await clock.advance(60_000);
    expect(errors).toEqual(["busy"]);
  });
});

test("a signal that aborts while the link is dialed cancels the call", async () => {
  const { clock, ann, others } = await world(oneLink, "bob");
  const handled = vi.fn();
  others[0]!.module("Any", handled);
  const controller = new AbortController();
  ann.link(others[0]!.getId()!).subscribe(({ status }) => status === "connecting" && controller.abort());
  const replies = ann.get("bob").call("Any", undefined, { signal: controller.signal });
  await clock.advance(1_000);
  expect(replies.state.peek().replies.map(({ error }) => error?.code)).toEqual(["cancelled"]);
  expect(handled).not.toHaveBeenCalled();
});

type Call = (module: string) => Replies<any>;

test.for<[string, (call: Call, clock: VirtualClock) => unknown]>([
  ["was answered", (call) => call("Add")],
  ["was answered with a stream that has been read", async (call) => all(await call("Count").first())],
  ["has failed", (call) => call("Unknown")],
  ["has timed out", (call) => call("Wait")],
  ["was cancelled", (call, clock) => clock.after(10, call("Wait").cancel)],
])("the signal of a call that %s keeps no listener", async ([, use]) => {
  const { ann, bob, clock, source } = createLinkedPair();
  bob.module("Add", ({ request }) => request + 1);
  bob.module("Count", () => source({ to: 3 }).items());
  bob.module("Wait", () => new Promise(() => {}));
  const { signal } = new AbortController();
  use((module) => ann.call(module, 1, { signal }), clock);
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  await clock.advance(60_000);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("a signal that aborts while the contract checks the answer cancels the call", async () => {
  const { ann, bob, clock } = createLinkedPair();
  bob.module("Slow", () => 1);
  const controller = new AbortController();
  const passed = () => new Promise<boolean>((resolve) => void clock.after(100, () => resolve(true)));
  const Slow = defineModule("Slow", { response: v.pipeAsync(v.number(), v.checkAsync(passed)) });
  const reply = ann.call(Slow, undefined, { signal: controller.signal }).first();
  await clock.advance(50);
  controller.abort();
  await expect(reply).rejects.toEqual(code("cancelled"));
});

test.for<any>([{ timeout: Number.NaN }, { timeout: -1 }, { timeout: "500" }, { signal: new AbortController() }])(
  "a call with %o is refused before anything is sent",
  async (options) => {
    const network = createNetwork();
    const [ann, bob] = [network.client("ann"), network.client("bob")];
    const handled = vi.fn(({ request }) => request);
    bob.module("Any", handled);
    await ann.connect("test", "ann", "");
    await bob.connect("test", "bob", "");
    const cancelled = vi.fn();
    const [reply] = await ann
      .get("bob")
      .call("Any", new ReadableStream({ cancel: cancelled }), options)
      .all();
    expect(reply?.error).toMatchObject({
      code: "invalid-request",
      message: expect.stringContaining(Object.keys(options)[0]!),
    });
    expect(cancelled).toHaveBeenCalledOnce();
    await expect(ann.get("nobody").call("Any", 1, options).first()).rejects.toMatchObject({
      code: "invalid-request",
    });
    expect(await ann.get("bob").call("Any", 3).first()).toBe(3);
    expect(handled).toHaveBeenCalledOnce();
  },
);
