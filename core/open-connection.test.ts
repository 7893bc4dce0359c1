import { expect, test } from "vitest";
import { createClientWith } from "./client.ts";
import { createMemoryDiscovery } from "./discovery/memory.ts";
import { createLazyPart } from "./lazy-part.ts";
import * as connections from "./open-connection.ts";
import type { Replies } from "./rpc/replies.ts";
import { createVirtualClock } from "./testing/virtual-clock.ts";
import { createMemoryNetwork } from "./transport/memory.ts";

/** Ann and Bob, who are signed in. The code for links is loaded when a test says so. */
async function annAndBob() {
  const clock = createVirtualClock();
  const discovery = createMemoryDiscovery({ clock, latency: 5 });
  const network = createMemoryNetwork({ clock, latency: 5 });
  for (const name of ["ann", "bob"]) discovery.addUser(name, "");
  discovery.trust("ann", "bob", "bob", "ann");

  function create() {
    const requests: PromiseWithResolvers<typeof connections>[] = [];
    const part = createLazyPart(() => {
      const request = Promise.withResolvers<typeof connections>();
      requests.push(request);
      return request.promise;
    });
    const client = createClientWith(clock, part, { discovery, transport: network.transport });
    return {
      client,
      requests,
      load: () => requests.at(-1)?.resolve(connections),
      failToLoad: () => requests.at(-1)?.reject(new TypeError("Failed to fetch dynamically imported module")),
    };
  }

  const [ann, bob] = [create(), create()];
  const read: unknown[] = [];
  bob.client.module("Echo", ({ request }) => {
    read.push(request);
    return request;
  });
  ann.client.connect("test", "ann", "");
  bob.client.connect("test", "bob", "");
  await clock.advance(100);
  const call = (request: unknown): Replies<any> => ann.client.get("bob").call("Echo", request);
  const linkOf = () => ann.client.link(bob.client.getId()!).peek();
  return { clock, network, ann, bob, read, call, linkOf };
}

/** A stream whose cancellation is recorded. */
function createSource() {
  const cancelled: unknown[] = [];
  const stream = new ReadableStream({ cancel: (reason) => void cancelled.push(reason?.code) }, { highWaterMark: 0 });
  return { stream, cancelled };
}

test("a client loads the code for links while it signs in, and only once", async () => {
  const { clock, ann, bob, call } = await annAndBob();
  expect([ann.requests.length, bob.requests.length]).toEqual([1, 1]);
  ann.load();
  bob.load();
  const answer = call(1).first();
  await clock.advance(100);
  expect(await answer).toBe(1);
  expect([ann.requests.length, bob.requests.length]).toEqual([1, 1]);
});

test("calls and messages that are made while the code is loaded arrive in order", async () => {
  const { clock, ann, bob, read, call, linkOf } = await annAndBob();
  bob.load();
  const replies = [call(1)];
  ann.client.get("bob").message("Echo", 2);
  replies.push(call(3));
  await clock.advance(1_000);
  expect([linkOf().status, read]).toEqual(["connecting", []]);
  ann.load();
  replies.push(call(4));
  await clock.advance(100);
  expect(await Promise.all(replies.map((reply) => reply.first()))).toEqual([1, 3, 4]);
  expect(read).toEqual([1, 2, 3, 4]);
});

test("what a peer sends before this side has loaded the code is read in order afterwards", async () => {
  const { clock, ann, bob, read, call } = await annAndBob();
  ann.load();
  const replies = [1, 2].map(call);
  await clock.advance(1_000);
  expect([ann.client.link(bob.client.getId()!).peek().status, read]).toEqual(["open", []]);
  bob.load();
  replies.push(call(3));
  await clock.advance(100);
  expect(await Promise.all(replies.map((reply) => reply.first()))).toEqual([1, 2, 3]);
  expect(read).toEqual([1, 2, 3]);
});

test("if the code cannot be loaded, calls fail and their streams are cancelled; the next call loads it again", async () => {
  const { clock, network, ann, bob, call, linkOf } = await annAndBob();
  bob.load();
  ann.failToLoad();
  await clock.advance(0);
  const { stream, cancelled } = createSource();
  const failed = call(stream).all();
  await clock.advance(1_000);
  ann.failToLoad();
  await clock.advance(100);
  const reason = { code: "link-failed", message: expect.stringContaining("reload the page") };
  expect(await failed).toMatchObject([{ error: reason }]);
  expect([linkOf(), cancelled, network.size]).toMatchObject([{ status: "failed", error: reason }, ["link-failed"], 0]);
  const answer = call("again").first();
  ann.load();
  await clock.advance(100);
  expect(await answer).toBe("again");
  expect(ann.requests).toHaveLength(3);
});

test("a call that is cancelled while the code is loaded is not sent, and its stream is cancelled", async () => {
  const { clock, ann, bob, read, call } = await annAndBob();
  bob.load();
  const { stream, cancelled } = createSource();
  const replies = call(stream);
  const next = call("next").first();
  await clock.advance(100);
  replies.cancel();
  expect(cancelled).toEqual(["cancelled"]);
  ann.load();
  await clock.advance(100);
  expect([await replies.all(), await next, read]).toMatchObject([[{ error: { code: "cancelled" } }], "next", ["next"]]);
});

test("a client that signs out while the code is loaded opens no link", async () => {
  const { clock, network, ann, bob, call } = await annAndBob();
  bob.load();
  const failed = call(1).all();
  await clock.advance(100);
  ann.client.disconnect();
  ann.load();
  await clock.advance(1_000);
  expect(await failed).toMatchObject([{ error: { code: "cancelled" } }]);
  expect(network.size).toBe(0);
});

test("a dial during which the code is not loaded in time ends with that reason", async () => {
  const { clock, bob, call } = await annAndBob();
  bob.load();
  const failed = call(1).all();
  await clock.advance(15_000);
  const message = expect.stringContaining("A script of this page has not loaded");
  expect(await failed).toMatchObject([{ error: { code: "link-failed", message } }]);
});
