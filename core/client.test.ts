import { runInNewContext } from "node:vm";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { eventually } from "../tools/eventually.ts";
import { type Client, createClient } from "./client.ts";
import type { Discovery } from "./discovery/discovery.ts";
import { BonevalueError } from "./errors.ts";
import { defineModule, type Module } from "./rpc/module.ts";
import { createNetwork, type Network } from "./testing/network.ts";
import { createVirtualClock } from "./testing/virtual-clock.ts";

const Echo = defineModule("Echo", {
  request: v.object({ text: v.string() }),
  response: v.object({ text: v.string() }),
});

// As long as a busy machine may take.
/** Signs in one client for each name, in turn. */
async function signIn(network: Network, ...usernames: string[]): Promise<Client[]> {
  const clients = usernames.map((username) => network.client(username));
  for (const [index, client] of clients.entries()) await client.connect("test", usernames[index] as string, "");
  await Promise.all(
    clients.map((client) => eventually(() => expect(client.peers.peek()).toHaveLength(clients.length - 1))),
  );
  return clients;
}

/** The schema in another realm, as one in a frame is: its promises are not of our `Promise`. */
function foreign<Schema extends StandardSchemaV1>(schema: Schema): Schema {
  const { validate, ...standard } = schema["~standard"];
  const Foreign: PromiseConstructor = runInNewContext("Promise");
  const promised = (value: unknown) => Foreign.resolve(validate(value));
  return { "~standard": { ...standard, validate: promised } } as unknown as Schema;
}

async function pair(): Promise<readonly [ann: Client, bob: Client, network: Network]> {
  const network = createNetwork();
  const [ann, bob] = await signIn(network, "ann", "bob");
  return [ann as Client, bob as Client, network];
}

describe("the short form", () => {
  test("a peer that connects gets an echo, and answers with a change", async () => {
    const network = createNetwork();
    const received: string[] = [];
    const clients = ["ann", "bob"].map((name) => {
      const $BV = network.client(name);
      $BV.module("My.Echo.Module", (e) => {
        e.callback({ text: `Not ${e.request.text}` });
      });
      $BV.on("peerconnect", (peer) => {
        $BV.get(peer.id).message("My.Echo.Module", { text: "Friday" }, false, (response) => {
          received.push(`${name}: ${response.text}`);
        });
      });
      return $BV;
    });
    await clients[0]?.connect("p2p.example.com", "ann", "");
    await clients[1]?.connect("p2p.example.com", "bob", "");
    await eventually(() => expect(received.sort()).toEqual(["ann: Not Friday", "bob: Not Friday"]));
  });

  test("a callback may be used later, once", async () => {
    const [ann, bob] = await pair();
    bob.module("Later", (e) => {
      queueMicrotask(() => {
        e.callback("first");
        e.callback("second");
      });
    });
    expect(await ann.get("bob").call("Later", null).first()).toBe("first");
  });
});

describe("signing in", () => {
  test("the lists come first, then connect, then a peerconnect for each online peer, then the promise", async () => {
    const network = createNetwork();
    await signIn(network, "bob", "cid");
    const ann = network.client("ann");
    const order: unknown[] = [];
    ann.status.subscribe((status) => order.push(status));
    ann.on("connect", () => order.push(["connect", ann.users.peek(), ann.peers.peek().length, ann.status.peek()]));
    ann.on("peerconnect", ({ name }) => order.push(name));
    ann.on("newuser", (alias) => order.push(["newuser", alias]));
    await ann.connect("test", "ann", "").then(() => order.push("promise"));
    expect(order).toEqual([
      "offline",
      "connecting",
      "online",
      ["connect", ["bob", "cid"], 2, "online"],
      "bob",
      "cid",
      "promise",
    ]);
    expect(ann.self.peek()).toEqual({ id: ann.getId(), username: "ann" });
  });

  test("a second connect with the same arguments returns the same promise; with others it replaces the first", async () => {
    const network = createNetwork();
    network.client("bob");
    const ann = network.client("ann");
    const first = ann.connect("test", "ann", "");
    expect(ann.connect("test", { username: "ann", password: "" })).toBe(first);
    const second = ann.connect("test", "bob", "");
    await expect(first).rejects.toMatchObject({ code: "cancelled", message: expect.stringContaining("connect()") });
    await second;
    expect(ann.self.peek()?.username).toBe("bob");
  });

  test("connect with the same object after a change counts as other arguments", async () => {
    const network = createNetwork();
    const ann = network.client("ann");
    network.client("bob");
    const form = { username: "ann", password: "" };
    await ann.connect("test", form);
    form.username = "bob";
    await ann.connect("test", form);
    expect(ann.self.peek()?.username).toBe("bob");
  });

  test("a wrong password fails fast, and another connect works", async () => {
    const ann = createNetwork().client("ann");
    const disconnected = vi.fn();
    ann.on("disconnect", disconnected);
    await expect(ann.connect("test", "ann", "wrong")).rejects.toMatchObject({ code: "unauthenticated" });
    expect(ann.status.peek()).toBe("offline");
    await ann.connect("test", "ann", "");
    expect(disconnected).not.toHaveBeenCalled();
  });

  test("disconnect empties the lists without a peerdisconnect for each peer, and ends pending calls", async () => {
    const [ann, bob] = await pair();
    bob.module("Never", () => new Promise(() => {}));
    const events: string[] = [];
    ann.on("peerdisconnect", () => events.push("peerdisconnect"));
    ann.on("disconnect", (reason) => events.push(`disconnect ${reason}, ${ann.peers.peek().length} peers`));
    const reply = ann.get("bob").call("Never").first();
    const gone = new Promise((resolve) => bob.on("peerdisconnect", resolve));
    const id = ann.getId();
    await Promise.all([ann.disconnect(), expect(reply).rejects.toMatchObject({ code: "cancelled" })]);
    expect(events).toEqual(["disconnect undefined, 0 peers"]);
    expect(await gone).toBe(id);
    expect(ann.getId()).toBeUndefined();
  });

  test("claimed trust appears on both sides, and the end of trust removes the peers", async () => {
    const [ann, bob, network] = await pair();
    network.discovery.distrust("ann", "bob");
    await eventually(() => expect([ann.users.peek(), bob.users.peek()]).toEqual([[], []]));
    const events: string[] = [];
    for (const event of ["newuser", "userremoved", "peerconnect", "peerdisconnect"] as const) {
      bob.on(event, () => events.push(event));
    }
    const { token } = await ann.requestToken("Bob");
    await bob.claimToken("Ann", token);
    await eventually(() => expect(ann.peers.peek()).toMatchObject([{ name: "Bob" }]));
    await eventually(() => expect(bob.peers.peek()).toMatchObject([{ name: "Ann" }]));
    await bob.removeUser("Ann");
    await eventually(() => expect(bob.users.peek()).toEqual([]));
    expect(events).toEqual(["newuser", "peerconnect", "peerdisconnect", "userremoved"]);
  });
});

describe("a call", () => {
  test("gets one reply from each peer that the query matches, in order of arrival", async () => {
    const network = createNetwork();
    const clients = await signIn(network, "ann", "bob", "bob", "cid");
    for (const client of clients) client.module(Echo, ({ request }) => ({ text: `Not ${request.text}` }));
    const replies = await (clients[0] as Client).get("*").call(Echo, { text: "Friday" }).all();
    expect(replies.map(({ status, value }) => [status, value?.text])).toEqual(
      Array(3).fill(["fulfilled", "Not Friday"]),
    );
    expect(replies.map(({ peer }) => peer.name).sort()).toEqual(["bob", "bob", "cid"]);
  });

  test("updates its state, and gives every iterator all replies", async () => {
    const network = createNetwork();
    const [ann, bob, cid] = (await signIn(network, "ann", "bob", "cid")) as [Client, Client, Client];
    const slow = Promise.withResolvers<string>();
    bob.module("Ask", () => "fast");
    cid.module("Ask", () => slow.promise);
    const replies = ann.get("*").call("Ask");
    const pending: number[] = [];
    replies.state.subscribe((state) => pending.push(state.pending));
    const seen: unknown[] = [];
    for await (const { value } of replies) {
      seen.push(value);
      slow.resolve("slow");
    }
    for await (const { value } of replies) seen.push(value);
    expect(seen).toEqual(["fast", "slow", "fast", "slow"]);
    expect(pending).toEqual([2, 1, 0]);
  });

  test.each([
    ["valibot", v.pipe(v.string(), v.transform(Number)), v.pipe(v.number(), v.transform(String))],
    ["zod", z.string().transform(Number), z.number().transform(String)],
    ["arktype", type("string").pipe(Number), type("number").pipe(String)],
    [
      "an asynchronous schema",
      v.pipeAsync(
        v.string(),
        v.transformAsync(async (text) => Number(text)),
      ),
      z.number().transform(async (n) => String(n)),
    ],
    ["a schema of another realm", foreign(z.string().transform(Number)), foreign(z.number().transform(String))],
  ])("each value is validated once, by its receiver: %s", async (_, request, response) => {
    const [ann, bob] = await pair();
    const Double: Module = defineModule("Double", { request, response });
    const handled = vi.fn(({ request: n }: { request: any }): unknown => n * 2);
    bob.module(Double, handled);
    expect(await ann.get("bob").call(Double, "21").first()).toBe("42");
    expect(handled).toHaveBeenCalledTimes(1);
    await expect(ann.get("bob").call(Double, 21).first()).rejects.toMatchObject({
      code: "invalid-request",
      data: [{ message: expect.any(String) }],
    });
    handled.mockReturnValue("no number");
    await expect(ann.get("bob").call(Double, "1").first()).rejects.toMatchObject({ code: "invalid-response" });
  });

  test("starts handlers in the order of the calls, even while a schema takes its time", async () => {
    const [ann, bob] = await pair();
    const gates = [Promise.withResolvers<boolean>(), Promise.withResolvers<boolean>()];
    const gate = v.pipeAsync(
      v.number(),
      v.checkAsync((n) => gates[n]?.promise ?? true),
    );
    const started: number[] = [];
    bob.module(defineModule("Slow", { request: gate }), ({ request }) => {
      started.push(request);
    });
    const calls = [0, 1].map((n) => ann.get("bob").call("Slow", n).first());
    gates[1]?.resolve(true);
    gates[0]?.resolve(true);
    await Promise.all(calls);
    expect(started).toEqual([0, 1]);
  });

  test("that fails in the handler returns the message, but not the stack", async () => {
    const [ann, bob] = await pair();
    bob.module("Fail", ({ request }) => {
      throw request === "typed"
        ? new BonevalueError("forbidden", "Not today.", { data: { until: 5 } })
        : new Error("Oh no");
    });
    await expect(ann.get("bob").call("Fail", "typed").first()).rejects.toMatchObject({
      code: "forbidden",
      message: "Not today.",
      data: { until: 5 },
    });
    const error = await ann
      .get("bob")
      .call("Fail")
      .first()
      .catch((caught) => caught);
    expect(error).toBeInstanceOf(BonevalueError);
    expect(error).toMatchObject({ code: "handler-failed", message: "Oh no" });
    expect(error.stack).not.toContain("bob.module");
  });

  test("to nobody, to one failing peer and to several failing peers has different errors", async () => {
    const network = createNetwork();
    const [ann] = (await signIn(network, "ann", "bob", "bob")) as [Client];
    expect(await ann.get("Us").call("Any").all()).toEqual([]);
    await expect(ann.get("Us").call("Any").first()).rejects.toMatchObject({ code: "no-peers" });
    await expect(ann.get("bob").call("Any").first()).rejects.toMatchObject({
      code: "all-failed",
      data: [{ error: { code: "unknown-module" } }, { error: { code: "unknown-module" } }],
    });
    const one = ann.peers.peek()[0]?.id as string;
    await expect(ann.get(one).call("Any").first()).rejects.toMatchObject({ code: "unknown-module" });
    for (const stranger of ["nobody", ann.getId() as string]) {
      expect(await ann.get(stranger).call("Any").all()).toMatchObject([
        {
          peer: { id: stranger, name: "" },
          error: { code: "unknown-peer", message: expect.stringContaining(`"${stranger}"`) },
        },
      ]);
    }
  });

  test("while signed out fails with not-connected on every target", async () => {
    const client = createClient();
    await expect(client.get("*").call("Any").first()).rejects.toMatchObject({ code: "not-connected" });
    expect(await client.get("someone").call("Any").all()).toMatchObject([{ error: { code: "not-connected" } }]);
    await expect(client.invite("a@example.com")).rejects.toMatchObject({ code: "not-connected" });
  });

  test("to a module that is not offered to this peer is forbidden", async () => {
    const [ann, bob] = await pair();
    bob.module("Private", () => "secret", { allow: "Us" });
    bob.module("Anns", () => "yes", { allow: { user: "ann" } });
    await expect(ann.get("bob").call("Private").first()).rejects.toMatchObject({ code: "forbidden" });
    expect(await ann.get("bob").call("Anns").first()).toBe("yes");
  });

  test("whose value cannot be sent fails with the path, before anything is sent", async () => {
    const [ann, bob] = await pair();
    const handled = vi.fn();
    bob.module("Any", handled);
    const request = { items: [0, { run: () => {} }] };
    await expect(ann.get("bob").call("Any", request).first()).rejects.toMatchObject({
      code: "invalid-request",
      message: expect.stringContaining("request.items[1].run"),
    });
    handled.mockReturnValue(Symbol("no"));
    await expect(ann.get("bob").call("Any").first()).rejects.toMatchObject({ code: "invalid-response" });
    expect(handled).toHaveBeenCalledTimes(1);
  });

  test("a module's name is taken until it is withdrawn", async () => {
    const [ann, bob] = await pair();
    const withdraw = bob.module("Any", () => "first");
    expect(() => bob.module("Any", () => "second")).toThrow(expect.objectContaining({ code: "module-taken" }));
    withdraw();
    bob.module("Any", () => "second");
    withdraw();
    expect(await ann.get("bob").call("Any").first()).toBe("second");
  });

  test.each(["__proto__", "constructor", "toString"])(
    "a module may be called %s, and none is unless it is offered",
    async (name) => {
      const [ann, bob] = await pair();
      await expect(ann.get("bob").call(name).first()).rejects.toMatchObject({ code: "unknown-module" });
      bob.module(name, () => "here");
      expect(await ann.get("bob").call(name).first()).toBe("here");
    },
  );

  test("beyond the peer's limit of requests is busy", async () => {
    const network = createNetwork();
    const bob = network.client("bob", { limits: { requestsPerPeer: 2 } });
    const ann = network.client("ann");
    await bob.connect("test", "bob", "");
    await ann.connect("test", "ann", "");
    const gate = Promise.withResolvers<string>();
    bob.module("Wait", () => gate.promise);
    const calls = [1, 2, 3].map(() => ann.get("bob").call("Wait").first());
    await expect(calls[2]).rejects.toMatchObject({ code: "busy" });
    gate.resolve("done");
    expect(await Promise.all(calls.slice(0, 2))).toEqual(["done", "done"]);
  });
});

describe("the end of a call aborts its handler", () => {
  async function asked(
    options: object,
  ): Promise<{ signal: AbortSignal; reply: Promise<unknown>; network: Network; ann: Client }> {
    const [ann, bob, network] = await pair();
    const signal = new Promise<AbortSignal>((resolve) => {
      bob.module("Wait", (context) => {
        resolve(context.signal);
        return new Promise(() => {});
      });
    });
    const reply = ann.get("bob").call("Wait", null, options).first();
    reply.catch(() => {});
    return { signal: await signal, reply, network, ann };
  }
  const aborted = (signal: AbortSignal) =>
    new Promise((resolve) => {
      if (signal.aborted) resolve(signal.reason);
      else signal.addEventListener("abort", () => resolve(signal.reason));
    });

  test("when it is cancelled, with the caller's reason on its own side", async () => {
    const controller = new AbortController();
    const { signal, reply } = await asked({ signal: controller.signal });
    controller.abort("changed my mind");
    await expect(reply).rejects.toMatchObject({ code: "cancelled", cause: "changed my mind" });
    expect(await aborted(signal)).toMatchObject({ code: "cancelled" });
  });

  test("when its deadline passes, on both sides", async () => {
    const clock = createVirtualClock();
    const network = createNetwork({ clock, latency: 5 });
    const [ann, bob] = [network.client("ann"), network.client("bob")];
    let signal: AbortSignal | undefined;
    bob.module("Wait", (context) => {
      signal = context.signal;
      return new Promise(() => {});
    });
    bob.connect("test", "bob", "");
    ann.connect("test", "ann", "");
    await clock.advance(100);
    const reply = ann.get("bob").call("Wait", null, { timeout: 500 }).all();
    await clock.advance(400);
    expect(signal?.aborted).toBe(false);
    await clock.advance(200);
    expect(await reply).toMatchObject([{ error: { code: "timeout" } }]);
    expect(signal?.reason).toMatchObject({ code: "timeout" });
  });

  test("when the link is lost, on both sides", async () => {
    const { signal, reply, network, ann } = await asked({});
    network.drop(ann.getId() as string);
    await expect(reply).rejects.toMatchObject({ code: "disconnected" });
    expect(await aborted(signal)).toMatchObject({ code: "disconnected" });
  });

  test("when the loop over its replies ends early", async () => {
    const network = createNetwork();
    const [ann, bob, cid] = (await signIn(network, "ann", "bob", "cid")) as [Client, Client, Client];
    bob.module("Ask", () => "fast");
    const signal = new Promise<AbortSignal>((resolve) => {
      cid.module("Ask", (context) => {
        resolve(context.signal);
        return new Promise(() => {});
      });
    });
    for await (const { value } of ann.get("*").call("Ask")) {
      expect(value).toBe("fast");
      await signal;
      break;
    }
    expect(await aborted(await signal)).toMatchObject({ code: "cancelled" });
  });

  test("an aborted signal sends nothing at all", async () => {
    const [ann, bob, network] = await pair();
    bob.module("Any", () => 1);
    await expect(ann.get("bob").call("Any", null, { signal: AbortSignal.abort() }).first()).rejects.toMatchObject({
      code: "cancelled",
    });
    expect(network.links).toBe(0);
  });
});

describe("a message", () => {
  test("without a callback is one-way: it has no reply, and its handler's error stays there", async () => {
    const [ann, bob] = await pair();
    const errors = vi.fn();
    ann.on("error", errors);
    const handled = Promise.withResolvers<unknown>();
    const failed = new Promise((resolve) => bob.on("error", resolve));
    bob.module("Note", ({ request }) => {
      handled.resolve(request);
      throw new Error("a fault over here");
    });
    ann.get("bob").message("Note", { at: 5n });
    expect(await handled.promise).toEqual({ at: 5n });
    expect(await failed).toMatchObject({ code: "handler-failed", message: "a fault over here" });
    expect(errors).not.toHaveBeenCalled();
  });

  test("that does not fit the contract is an `error` event of the page that offers the module, and of the sender", async () => {
    const [ann, bob] = await pair();
    const refused = new Promise((resolve) => ann.on("error", resolve));
    const failed = new Promise((resolve) => bob.on("error", resolve));
    const handled = vi.fn();
    bob.module(defineModule("Note", { request: v.object({ text: v.string() }) }), handled);
    ann.get("bob").message("Note", { text: 5 });
    expect(await failed).toMatchObject({ code: "invalid-request", data: [{ path: ["text"] }] });
    expect(await refused).toMatchObject({
      code: "invalid-request",
      message: expect.stringContaining('"bob" refused a message to "Note"'),
    });
    ann.get("bob").message("Note", { text: "five" });
    await eventually(() => expect(handled).toHaveBeenCalledOnce());
  });

  test("ends when its handler has returned, so any number may follow", async () => {
    const network = createNetwork();
    const ann = network.client("ann");
    const bob = network.client("bob", { limits: { requestsPerPeer: 4 } });
    await bob.connect("test", "bob", "");
    await ann.connect("test", "ann", "");
    let received = 0;
    bob.module("Cursor", () => {
      received++;
    });
    for (let sent = 0; sent < 100; sent++) ann.get("bob").message("Cursor", { x: sent });
    await eventually(() => expect(received).toBe(100));
  });

  test("with a callback passes each answer to it, and failures to the error event", async () => {
    const network = createNetwork();
    const [ann, bob] = (await signIn(network, "ann", "bob", "cid")) as [Client, Client];
    bob.module(Echo, ({ request }) => request);
    const answered = vi.fn();
    const failed = new Promise((resolve) => ann.on("error", resolve));
    ann.get("*").message(Echo, { text: "hi" }, true, answered);
    expect(await failed).toMatchObject({ code: "unknown-module" });
    expect(answered).toHaveBeenCalledExactlyOnceWith({ text: "hi" }, expect.objectContaining({ name: "bob" }));
  });

  test("accepts undefined options, and calls its callback", async () => {
    const [ann, bob] = await pair();
    bob.module("Any", () => "here");
    expect(await new Promise((answered) => ann.get("bob").message("Any", 1, null as never, answered))).toBe("here");
    expect(
      await ann
        .get("bob")
        .call("Any", 1, null as never)
        .first(),
    ).toBe("here");
  });

  test("an error without a listener goes to the console", async () => {
    const logged = vi.spyOn(console, "error").mockReturnValue(undefined);
    createClient().get("someone").message("Any", null);
    await Promise.resolve();
    expect(logged).toHaveBeenCalledWith(expect.objectContaining({ code: "not-connected" }));
    logged.mockRestore();
  });
});

describe("links", () => {
  test("are dialed on the first call and closed when idle, as keepAlive says", async () => {
    const clock = createVirtualClock();
    const network = createNetwork({ clock, latency: 5 });
    const bob = network.client("bob");
    const ann = network.client("ann");
    bob.module("Any", () => "here");
    bob.connect("test", "bob", "");
    ann.connect("test", "ann", "");
    await clock.advance(100);
    const peer = ann.peers.peek()[0]?.id as string;
    const states: string[] = [];
    ann.link(peer).subscribe(({ status }) => status !== states.at(-1) && states.push(status));

    const moment = ann.get("bob").call("Any", null, { keepAlive: false }).first();
    await clock.advance(500);
    expect(await moment).toBe("here");
    await clock.advance(1_500);
    expect(states).toEqual(["idle", "connecting", "open", "idle"]);
    expect(network.links).toBe(0);

    const kept = ann.get("bob").call("Any", null, { keepAlive: true }).first();
    await clock.advance(500);
    expect(await kept).toBe("here");
    await clock.advance(29_000);
    expect(ann.link(peer).peek().status).toBe("open");
    await clock.advance(2_000);
    expect(ann.link(peer).peek().status).toBe("idle");
    expect(network.links).toBe(0);
  });

  test("no call is lost while the other side closes the link", async () => {
    const clock = createVirtualClock();
    const network = createNetwork({ clock, latency: 5 });
    const ann = network.client("ann", { keepAlive: false });
    const bob = network.client("bob", { keepAlive: false });
    for (const client of [ann, bob]) client.module("Any", () => "here");
    ann.connect("test", "ann", "");
    bob.connect("test", "bob", "");
    await clock.advance(100);
    const answers: Promise<unknown>[] = [];
    for (let step = 0; step < 400; step++) {
      if (step % 97 === 0) answers.push(ann.get("bob").call("Any").first());
      if (step % 103 === 0) answers.push(bob.get("ann").call("Any").first());
      await clock.advance(11);
    }
    await clock.advance(20_000);
    expect(await Promise.all(answers)).toEqual(answers.map(() => "here"));
    expect(network.links).toBe(0);
  });

  test("two sides that dial at once get one link", async () => {
    const [ann, bob, network] = await pair();
    for (const client of [ann, bob]) client.module("Any", () => "here");
    const both = await Promise.all([ann.get("bob").call("Any").first(), bob.get("ann").call("Any").first()]);
    expect(both).toEqual(["here", "here"]);
    expect(network.links).toBe(2);
  });
});

describe("a target", () => {
  test("is the same object for equal queries", () => {
    const client = createClient();
    expect(client.get({ peer: "a" })).toBe(client.get({ peers: ["a"] }));
    expect(client.get("a")).toBe(client.get("a"));
    expect(client.get("a")).not.toBe(client.get({ user: "a" }));
  });

  test("calls the peers that its query matches at the time of the call", async () => {
    const [ann, bob] = await pair();
    const peers = [bob.getId()!];
    const target = ann.get({ peers });
    peers.push("somebody");
    const asked = await ann
      .get({ peers: [bob.getId()!] })
      .call("None")
      .all();
    expect(asked.map(({ peer }) => peer.name)).toEqual(["bob"]);
    expect(target.query).toEqual({ peers: [bob.getId()!] });
  });

  test("visits each peer while it is online", async () => {
    const network = createNetwork();
    const ann = network.client("ann");
    const signals: AbortSignal[] = [];
    ann.get("*").each((_, signal) => signals.push(signal));
    await ann.connect("test", "ann", "");
    const bob = network.client("bob");
    await bob.connect("test", "bob", "");
    await eventually(() => expect(signals).toHaveLength(1));
    await bob.disconnect();
    await eventually(() => expect(signals[0]?.aborted).toBe(true));
  });
});

describe("an alias in another Unicode normalization form", () => {
  const [nfc, nfd] = ["Zo\u00eb", "Zoe\u0308"];

  test("names the same user in queries, and the same target", async () => {
    const network = createNetwork();
    const [ann, zoe] = [network.client("ann"), network.client(nfc)];
    await Promise.all([ann.connect("test", "ann", ""), zoe.connect("test", nfc, "")]);
    expect(ann.get(nfd)).toBe(ann.get(nfc));
    expect(ann.get({ user: nfd })).toBe(ann.get({ user: nfc }));
    zoe.module("Echo", ({ request }) => request);
    expect(await ann.get(nfd).call("Echo", 1).first()).toBe(1);
    ann.module("Echo", ({ request }) => request, { allow: nfd });
    expect(await zoe.get("ann").call("Echo", 2).first()).toBe(2);
    await Promise.all([ann.disconnect(), zoe.disconnect()]);
  });

  test("is composed before it reaches the server", async () => {
    const asked: unknown[] = [];
    const discovery: Discovery = {
      open(_host, _credentials, events) {
        queueMicrotask(() => events.online({ self: { id: "a", username: "ann" }, users: [], peers: [] }));
        return {
          signal() {},
          invite: async () => {},
          async requestToken(alias) {
            asked.push(alias);
            return { token: "t", expires: new Date() };
          },
          claimToken: async (alias) => void asked.push(alias),
          removeUser: async (alias) => void asked.push(alias),
          changePassword: async () => {},
          close: async () => {},
        };
      },
    };
    const client = createClient({ discovery });
    await client.connect("test", "ann", "");
    await client.requestToken(nfd);
    await client.claimToken(nfd, "t");
    await client.removeUser(nfd);
    expect(asked).toEqual([nfc, nfc, nfc]);
    await client.disconnect();
  });
});
