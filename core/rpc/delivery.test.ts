import * as v from "valibot";
import { describe, expect, test, vi } from "vitest";
import type { Client, ClientOptions } from "../client.ts";
import { createNetwork, type Network } from "../testing/network.ts";
import { createVirtualClock, type VirtualClock } from "../testing/virtual-clock.ts";
import { defineModule } from "./module.ts";
import { code, createLinkedPair } from "./streams/testing/linked-pair.ts";

interface World {
  readonly clock: VirtualClock;
  readonly network: Network;
  readonly ann: Client;
  readonly bob: Client;
  /** The codes of Ann's `error` events. */
  readonly errors: string[];
}

/** Ann and Bob, signed in for longer than requests wait for modules. Requests wait for a module for 1 s after it was withdrawn. */
async function signedIn(options: { readonly ann?: ClientOptions; readonly bob?: ClientOptions } = {}): Promise<World> {
  const clock = createVirtualClock();
  const network = createNetwork({ clock, latency: 10 });
  const ann = network.client("ann", { moduleGrace: 2_000, ...options.ann });
  const bob = network.client("bob", { moduleGrace: 2_000, ...options.bob });
  const errors: string[] = [];
  ann.on("error", ({ code }) => errors.push(code));
  bob.on("error", () => {});
  ann.connect("test", "ann", "");
  bob.connect("test", "bob", "");
  await clock.advance(3_000);
  return { clock, network, ann, bob, errors };
}

const kinds = ["call", "message", "lossy"] as const;
type Kind = (typeof kinds)[number];

/** Sends one request of each kind; a call's outcome joins the errors. */
function send({ ann, errors }: World, kind: Kind, request: unknown, to: string, module = "Save"): void {
  const target = ann.get(to);
  if (kind === "message") target.message(module, request);
  else if (kind === "lossy") target.message(module, request, { lossy: true });
  else
    target
      .call(module, request)
      .first()
      .catch(({ code }) => errors.push(code));
}

/** What Bob's handler of "Save" gets. */
function handle({ bob }: World, work: (request: unknown) => unknown = () => undefined, module = "Save"): unknown[] {
  const handled: unknown[] = [];
  bob.module(defineModule(module), (({ request }: { request: unknown }) => {
    handled.push(request);
    return work(request);
  }) as never);
  return handled;
}

interface Cell {
  readonly handled: unknown[];
  readonly errors: string[];
}

interface Situation {
  readonly name: string;
  run(world: World, kind: Kind): Promise<{ readonly handled: unknown[] }>;
  readonly expected: Readonly<Record<Kind, Cell>>;
}

const delivered: Cell = { handled: [1], errors: [] };
const nothing: Cell = { handled: [], errors: [] };
const failed = (code: string, ...handled: unknown[]): Cell => ({ handled, errors: [code] });

const situations: readonly Situation[] = [
  {
    name: "the peer is offline",
    async run(world, kind) {
      const id = world.bob.getId()!;
      const handled = handle(world);
      world.bob.disconnect();
      await world.clock.advance(1_000);
      send(world, kind, 1, id);
      return { handled };
    },
    expected: { call: failed("unknown-peer"), message: failed("unknown-peer"), lossy: failed("unknown-peer") },
  },
  {
    name: "the query matches nobody",
    async run(world, kind) {
      send(world, kind, 1, "Us");
      return { handled: handle(world) };
    },
    expected: { call: failed("no-peers"), message: nothing, lossy: nothing },
  },
  {
    name: "we are offline",
    async run(world, kind) {
      const id = world.bob.getId()!;
      world.ann.disconnect();
      await world.clock.advance(100);
      send(world, kind, 1, id);
      return { handled: handle(world) };
    },
    expected: { call: failed("not-connected"), message: failed("not-connected"), lossy: failed("not-connected") },
  },
  {
    name: "the link is closed",
    async run(world, kind) {
      const handled = handle(world);
      send(world, kind, 1, "bob");
      return { handled };
    },
    expected: { call: delivered, message: delivered, lossy: delivered },
  },
  {
    name: "the link is lost while the handler runs",
    async run(world, kind) {
      const handled = handle(world, () => new Promise(() => {}));
      send(world, kind, 1, "bob");
      await world.clock.advance(1_000);
      world.network.drop(world.ann.getId()!, world.bob.getId()!);
      return { handled };
    },
    expected: { call: failed("disconnected", 1), message: failed("disconnected", 1), lossy: delivered },
  },
  {
    name: "the module is not offered yet",
    async run(world, kind) {
      world.bob.module("Save", () => {})();
      send(world, kind, 1, "bob");
      await world.clock.advance(500);
      return { handled: handle(world) };
    },
    expected: { call: delivered, message: delivered, lossy: nothing },
  },
  {
    name: "the module is never offered",
    async run(world, kind) {
      send(world, kind, 1, "bob");
      return { handled: [] };
    },
    expected: { call: failed("unknown-module"), message: failed("unknown-module"), lossy: nothing },
  },
  {
    name: "the module is forbidden",
    async run(world, kind) {
      world.bob.module("Save", () => {}, { allow: "Us" });
      send(world, kind, 1, "bob");
      return { handled: [] };
    },
    expected: { call: failed("forbidden"), message: failed("forbidden"), lossy: nothing },
  },
  {
    name: "the receiver is over capacity",
    async run(world, kind) {
      const { clock } = world;
      const handled = handle(world, () => new Promise<void>((resolve) => void clock.after(100, resolve)));
      send(world, "call", 0, "bob", "Other");
      await clock.advance(1_000);
      world.errors.length = 0;
      for (let count = 1; count <= 3; count++) send(world, kind, count, "bob");
      return { handled };
    },
    expected: {
      call: failed("busy", 1, 2),
      message: { handled: [1, 2, 3], errors: [] },
      lossy: { handled: [1, 2], errors: [] },
    },
  },
  {
    name: "the receiver's page reloads while the handler runs",
    async run(world, kind) {
      const handled = handle(world, () => new Promise(() => {}));
      send(world, kind, 1, "bob");
      await world.clock.advance(1_000);
      world.bob.disconnect();
      world.bob.connect("test", "bob", "");
      return { handled };
    },
    expected: { call: failed("disconnected", 1), message: failed("disconnected", 1), lossy: delivered },
  },
];

describe.each(situations)("where $name", ({ run, expected }) => {
  test.each(kinds)("the outcome of a %s is that of the table in docs/concepts/messages.md", async (kind) => {
    const world = await signedIn({ bob: { limits: { requestsPerPeer: 2 } } });
    const { handled } = await run(world, kind);
    await world.clock.advance(10_000);
    expect({ handled, errors: world.errors }).toEqual(expected[kind]);
  });
});

describe("messages to a slow handler", () => {
  const range = (count: number) => Array.from({ length: count }, (_, index) => index);

  test("all arrive in order, however many are sent at once", async () => {
    const { ann, bob, clock } = createLinkedPair();
    const handled: number[] = [];
    bob.module("Save", async ({ request }) => {
      handled.push(request);
      await new Promise<void>((resolve) => void clock.after(200, resolve));
    });
    for (const number of range(5_000)) ann.notify("Save", number);
    await clock.advance(1_500);
    expect(handled).toEqual(range(5_000));
    await clock.advance(1_000);
    expect([ann.errors, bob.errors, ann.rpc.isIdle, bob.rpc.isIdle]).toEqual([[], [], true, true]);
  });

  test("never run more than the receiver handles at once, and calls keep their place behind them", async () => {
    const { ann, bob, clock, until } = createLinkedPair({ limits: { requestsPerPeer: 10 } });
    const handled: unknown[] = [];
    let [running, most] = [0, 0];
    bob.module("Save", async ({ request }) => {
      handled.push(request);
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => void clock.after(20, resolve));
      running--;
    });
    bob.module("Load", () => handled.push("load"));
    for (const number of range(100)) ann.notify("Save", number);
    expect(await until(ann.call("Load").first())).toBe(101);
    expect([handled, most]).toEqual([[...range(100), "load"], 10]);
  });

  test("take a bounded amount of the sender's memory: beyond it they are `busy`, and the app learns how many", async () => {
    const { ann, bob, clock } = createLinkedPair({ limits: { requestsPerPeer: 1, bytesPerPeer: 100_000 } });
    const handled: number[] = [];
    bob.module("Save", async ({ request }) => {
      handled.push(request.length);
      await new Promise<void>((resolve) => void clock.after(10, resolve));
    });
    for (let message = 0; message < 1_000; message++) ann.notify("Save", "x".repeat(1_000));
    await clock.advance(60_000);
    expect(handled.length).toBeGreaterThan(70);
    expect(handled.length).toBeLessThan(90);
    expect(ann.errors).toEqual([code("busy")]);
    expect(ann.errors[0]?.message).toContain(`${1_000 - handled.length} messages`);
    // What has left is not counted any more.
    ann.notify("Save", "x".repeat(2_000));
    await clock.advance(1_000);
    expect([handled.at(-1), ann.errors.length]).toEqual([2_000, 1]);
  });

  test("that are large and wait for the channel count as well", async () => {
    const { ann, bob, clock } = createLinkedPair({ limits: { bytesPerPeer: 8_000_000 }, bandwidth: 1_000 });
    const handled: number[] = [];
    bob.module("Save", ({ request }) => void handled.push(request.length));
    for (let message = 0; message < 100; message++) ann.notify("Save", new Uint8Array(500_000));
    await clock.advance(60_000);
    expect(handled.length).toBeGreaterThan(15);
    expect(handled.length).toBeLessThan(20);
    expect(ann.errors).toEqual([code("busy")]);
  });

  test("can be followed by a call that is cancelled before its turn, and by a stream that is cancelled with the link", async () => {
    const { ann, bob, clock, source, cut } = createLinkedPair({ limits: { requestsPerPeer: 1 } });
    const handled: unknown[] = [];
    bob.module("Save", ({ request }) => {
      handled.push(request);
      return new Promise(() => {});
    });
    const items = source();
    ann.notify("Save", 1);
    ann.notify("Save", items.items());
    const call = ann.call("Save", 2);
    await clock.advance(100);
    call.cancel();
    expect(await call.all()).toMatchObject([{ error: { code: "cancelled" } }]);
    cut();
    await clock.advance(100);
    expect([handled, items.cleanedUp || items.pulled === 0, ann.rpc.isIdle]).toEqual([[1], true, true]);
    expect(ann.errors[0]?.message).toContain("2 messages");
  });

  test("can be followed by a call that is cancelled before its turn, and never leaves", async () => {
    const { ann, bob, clock } = createLinkedPair({ limits: { requestsPerPeer: 1 } });
    const handled: unknown[] = [];
    bob.module("Save", async ({ request }) => {
      handled.push(request);
      await new Promise<void>((resolve) => void clock.after(1_000, resolve));
    });
    for (const number of [1, 2]) ann.notify("Save", number);
    const call = ann.call("Save", 3);
    await clock.advance(100);
    call.cancel();
    await clock.advance(10_000);
    expect(handled).toEqual([1, 2]);
  });

  test("hold the next ones back for at most 30 s", async () => {
    const { ann, bob, clock } = createLinkedPair({ limits: { requestsPerPeer: 2 } });
    const handled: number[] = [];
    bob.module("Watch", ({ request }) => {
      handled.push(request);
      return new Promise(() => {});
    });
    for (const number of range(4)) ann.notify("Watch", number);
    await clock.advance(29_000);
    expect(handled).toEqual([0, 1]);
    await clock.advance(1_500);
    expect(handled).toEqual([0, 1, 2, 3]);
  });

  test("time out neither while they wait for it, nor because they waited for the link", async () => {
    const world = await signedIn({ bob: { limits: { requestsPerPeer: 1 } } });
    const handled = handle(world, () => new Promise(() => {}));
    for (const number of range(4)) send(world, "message", number, "bob");
    await world.clock.advance(120_000);
    expect([handled, world.errors]).toEqual([[0, 1, 2, 3], []]);
  });

  test("of an older version, which keeps to no window, are dropped over capacity, and neither side sends what the other does not know", async () => {
    const pair = createLinkedPair({ limits: { requestsPerPeer: 2 }, hello: { features: undefined } });
    const { ann, bob, clock } = pair;
    const handled: number[] = [];
    bob.module("Save", async ({ request }) => {
      handled.push(request);
      await new Promise<void>((resolve) => void clock.after(10, resolve));
    });
    for (const number of range(4)) ann.notify("Save", number);
    const cancelled = vi.fn();
    ann.notify("Save", new ReadableStream({ cancel: cancelled }));
    ann.notify("Unknown", 1);
    await clock.advance(1_000);
    expect(handled).toEqual([0, 1]);
    expect(cancelled).toHaveBeenCalledOnce();
    expect([ann.ended, bob.ended, ann.rpc.isIdle, bob.rpc.isIdle]).toEqual([undefined, undefined, true, true]);
    pair.cut();
    expect(ann.errors).toEqual([]);
  });
});

describe("an acknowledgement", () => {
  /** The sizes of what Bob sends, while Ann sends `count` messages that Bob handles at once. */
  async function frames(count: number, answer: boolean) {
    const { ann, bob, clock } = createLinkedPair({ limits: { requestsPerPeer: 100 } });
    bob.module("Save", () => {
      if (answer) bob.notify("Back", 1);
    });
    ann.module("Back", () => {});
    const sent = vi.spyOn(bob.scheduler, "send");
    for (let message = 0; message < count; message++) ann.notify("Save", message);
    await clock.advance(240);
    const early = sent.mock.calls.length;
    await clock.advance(20);
    return [early, sent.mock.calls.length];
  }

  test("leaves after a quarter of a second", async () => {
    expect(await frames(1, false)).toEqual([0, 1]);
  });

  test("leaves at once for a quarter of the window", async () => {
    expect(await frames(50, false)).toEqual([2, 2]);
  });

  test("joins other frames, once in a turn", async () => {
    expect(await frames(10, true)).toEqual([11, 11]);
  });

  test.each([5, 1])("that contradicts itself (%i messages) ends the link", async (handled) => {
    const { ann, bob, clock } = createLinkedPair();
    bob.module("Save", () => {});
    for (const number of [1, 2]) ann.notify("Save", number);
    await clock.advance(1_000);
    bob.scheduler.send("control", [13, handled]);
    await clock.advance(10);
    expect(ann.ended).toEqual(code("protocol"));
  });

  test("that is not awaited, by a sender beyond the window, ends the link", async () => {
    const { ann, bob, clock } = createLinkedPair({ limits: { requestsPerPeer: 2 } });
    const { packed } = { packed: { bytes: Uint8Array.of(1), annotations: [], size: 1, hasAttachments: false } };
    for (let message = 0; message < 3; message++) ann.scheduler.send("control", [12, 0, "Save", packed]);
    bob.module("Save", () => new Promise(() => {}));
    await clock.advance(10);
    expect(bob.ended).toEqual(code("protocol"));
  });
});

describe("messages that are lost", () => {
  test("with their link are reported in one error with their number", async () => {
    const { ann, bob, clock, cut } = createLinkedPair({ limits: { requestsPerPeer: 10 } });
    bob.module("Save", () => new Promise(() => {}));
    bob.module("Note", () => {});
    ann.notify("Note", 0);
    await clock.advance(1_000);
    for (let message = 0; message < 25; message++) ann.notify("Save", message);
    await clock.advance(1_000);
    cut();
    await clock.advance(10);
    expect(ann.errors).toEqual([code("disconnected")]);
    expect(ann.errors[0]?.message).toContain("25 messages");
  });

  test("because no link opens are reported in one error", async () => {
    const { ann, bob, network, errors, clock } = await signedIn();
    const reported: string[] = [];
    ann.on("error", ({ message }) => reported.push(message));
    network.partition(ann.getId()!, bob.getId()!);
    for (let message = 0; message < 20; message++) ann.get("bob").message("Save", message);
    await clock.advance(60_000);
    expect(errors).toHaveLength(1);
    expect(reported[0]).toContain("20 messages");
  });

  test("because no link opens make room for the next ones", async () => {
    const world = await signedIn({ ann: { limits: { bytesPerPeer: 1_000 } } });
    const [{ ann, bob, network, clock, errors }, handled] = [world, handle(world)];
    network.partition(ann.getId()!, bob.getId()!);
    const text = "x".repeat(500);
    send(world, "message", text, "bob");
    send(world, "lossy", 1, "bob");
    await clock.advance(60_000);
    network.heal();
    errors.length = 0;
    send(world, "message", text, "bob");
    send(world, "lossy", 2, "bob");
    await clock.advance(10_000);
    expect([handled, errors]).toEqual([expect.arrayContaining([text, 2]), []]);
  });

  test("because the receiver accepts no more streams take no place in its window", async () => {
    const { ann, bob, clock } = createLinkedPair({ limits: { requestsPerPeer: 1, streamsPerPeer: 0 } });
    const handled: unknown[] = [];
    bob.module("Save", ({ request }) => void handled.push(request));
    ann.notify("Save", new ReadableStream());
    ann.notify("Save", 1);
    await clock.advance(1_000);
    expect([handled, ann.errors]).toEqual([[1], [code("busy")]]);
  });

  test("with their link before they have left cancel their streams, as calls do", async () => {
    const { ann, bob, clock, cut } = createLinkedPair({ bandwidth: 1 });
    bob.module("Save", () => {});
    ann.call("Save", new Uint8Array(4_000_000));
    await clock.advance(10);
    const cancelled = vi.fn();
    ann.notify("Save", new ReadableStream({ cancel: cancelled }));
    ann.call("Save", new ReadableStream({ cancel: cancelled }));
    await clock.advance(100);
    cut();
    await clock.advance(10);
    expect(cancelled.mock.calls).toEqual([[code("disconnected")], [code("disconnected")]]);
  });

  test("when our own app signs out are reported only if they were not sent", async () => {
    const world = await signedIn({ bob: { limits: { requestsPerPeer: 2 } } });
    handle(world, () => new Promise(() => {}));
    send(world, "message", 1, "bob");
    await world.clock.advance(1_000);
    world.ann.disconnect();
    await world.clock.advance(1_000);
    expect(world.errors).toEqual([]);
  });
});

describe("large messages that wait for the channel when our own app signs out", () => {
  test("are reported, because they were not sent", async () => {
    const clock = createVirtualClock();
    const network = createNetwork({ clock, latency: 10, bandwidth: 20_000 });
    const [ann, bob] = [network.client("ann"), network.client("bob")];
    const errors: string[] = [];
    ann.on("error", ({ code, message }) => errors.push(`${code}: ${message}`));
    const handled: number[] = [];
    bob.module("Save", ({ request }) => void handled.push(request.length));
    ann.connect("test", "ann", "");
    bob.connect("test", "bob", "");
    await clock.advance(1_000);
    for (let message = 0; message < 5; message++) ann.get("bob").message("Save", new Uint8Array(100_000));
    await clock.advance(8_000);
    ann.disconnect();
    await clock.advance(10_000);
    expect(handled).toEqual([]);
    expect(errors).toEqual([expect.stringMatching(/^cancelled: 5 messages to "bob" may not have been handled/)]);
  });
});

test("messages to hundreds of unknown modules are all reported as refused", async () => {
  const { ann, clock } = createLinkedPair();
  for (let module = 0; module < 300; module++) ann.notify(`Module ${module}`, 1);
  await clock.advance(5_000);
  const counts = ann.errors.map(({ message }) => Number(/refused (?:a|(\d+)) messages? to/.exec(message)![1] ?? 1));
  expect(counts.length).toBeLessThan(100);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(300);
});

describe("refusals that arrive within a second", () => {
  test("are reported even if the link ends meanwhile", async () => {
    const { ann, bob, clock, cut } = createLinkedPair();
    for (const count of [1, 2, 3]) bob.scheduler.send("control", [14, count, "Save", "forbidden", "No."]);
    await clock.advance(100);
    expect(ann.errors.map(({ message }) => message)).toEqual(['"other" refused a message to "Save": No.']);
    cut();
    await clock.advance(10);
    expect(ann.errors.map(({ message }) => message)).toEqual([
      '"other" refused a message to "Save": No.',
      '"other" refused 5 messages to "Save": No.',
    ]);
  });
});

describe("a link on which messages are handled", () => {
  test("is not closed before their handlers have settled, and then without an error", async () => {
    const world = await signedIn({ ann: { keepAlive: false }, bob: { keepAlive: false } });
    const aborted = vi.fn();
    world.bob.module("Save", async ({ signal }) => {
      signal.addEventListener("abort", aborted);
      await new Promise<void>((resolve) => void world.clock.after(5_000, resolve));
    });
    world.ann.get("bob").message("Save", 1);
    await world.clock.advance(4_500);
    expect(world.network.links).toBe(2);
    await world.clock.advance(40_000);
    expect([world.network.links, world.errors, aborted.mock.calls]).toEqual([0, [], []]);
  });
});

describe("a refusal", () => {
  test("reaches the sender's `error` event at most once a second for each module, with the number", async () => {
    const { ann, bob, clock } = createLinkedPair();
    bob.module(defineModule("Typed", { request: v.string() }), () => {});
    for (let message = 0; message < 10; message++) {
      ann.notify("Typed", message);
      ann.notify("Unknown", message);
    }
    await clock.advance(500);
    const messages = () => ann.errors.map(({ code, message }) => `${code} ${/\d+ messages|a message/.exec(message)}`);
    expect(messages()).toEqual(["invalid-request a message", "unknown-module a message"]);
    await clock.advance(1_000);
    expect(messages().slice(2)).toEqual(["invalid-request 9 messages", "unknown-module 9 messages"]);
    await clock.advance(60_000);
    expect([ann.errors.length, ann.rpc.isIdle, clock.waiting]).toEqual([4, true, 0]);
    // The page that offers the module learns of the violation as well, but not of names that it does not offer.
    expect(bob.errors).toEqual([code("invalid-request"), code("invalid-request")]);
  });
});

describe("a module that is being mounted", () => {
  /** Bob's page offers "Save" `delay` ms after it has signed in. */
  async function mounting(delay: number) {
    const clock = createVirtualClock();
    const network = createNetwork({ clock, latency: 10 });
    const ann = network.client("ann");
    const bob = network.client("bob", { moduleGrace: 2_000 });
    const errors: string[] = [];
    ann.on("error", ({ code }) => errors.push(code));
    ann.connect("test", "ann", "");
    await clock.advance(100);
    const handled: unknown[] = [];
    clock.after(delay, () => bob.module("Save", ({ request }) => handled.push(request)));
    return { clock, ann, bob, errors, handled };
  }

  test("gets the messages and calls that were sent on `peerconnect`, in order", async () => {
    const { clock, ann, bob, errors, handled } = await mounting(1_000);
    const replies: unknown[] = [];
    ann.on("peerconnect", (peer) => {
      const target = ann.get({ peers: [peer.id] });
      for (const number of [1, 2, 3]) {
        target.message("Save", number);
        target
          .call("Save", number * 10)
          .first()
          .then((reply) => replies.push(reply));
      }
    });
    bob.connect("test", "bob", "");
    await clock.advance(3_000);
    expect([handled, replies, errors]).toEqual([[1, 10, 2, 20, 3, 30], [2, 4, 6], []]);
  });

  test("that is offered too late refuses them", async () => {
    const { clock, ann, bob, errors, handled } = await mounting(2_500);
    ann.on("peerconnect", () => ann.get("bob").message("Save", 1));
    bob.connect("test", "bob", "");
    await clock.advance(5_000);
    expect([handled, errors]).toEqual([[], ["unknown-module"]]);
  });

  test("again after 20 ms loses nothing, and order holds although a schema takes time", async () => {
    const world = await signedIn();
    const { bob, ann, clock } = world;
    const slow = v.pipeAsync(
      v.number(),
      v.checkAsync(() => new Promise<boolean>((resolve) => void clock.after(15, () => resolve(true)))),
    );
    const Save = defineModule("Save", { request: slow });
    const handled: number[] = [];
    const offer = () => bob.module(Save, ({ request }) => void handled.push(request));
    let withdraw = offer();
    ann.get("bob").message("Save", 0);
    await clock.advance(1_000);
    for (let number = 1; number <= 60; number++) {
      if (number % 20 === 0) {
        withdraw();
        clock.after(20, () => (withdraw = offer()));
      }
      ann.get("bob").message("Save", number);
      await clock.advance(7);
    }
    await clock.advance(5_000);
    expect(handled).toEqual(Array.from({ length: 61 }, (_, number) => number));
    expect(world.errors).toEqual([]);
  });

  test("lets calls wait in bounded number, and their deadlines go on", async () => {
    const { ann, bob, clock } = createLinkedPair({ moduleGrace: 2_000 });
    bob.module("Save", () => {}).withdraw();
    const handled: number[] = [];
    const calls = Array.from({ length: 70 }, (_, number) =>
      ann.call("Save", number, { timeout: number ? 30_000 : 50 }).all(),
    );
    await clock.advance(500);
    bob.module("Save", ({ request }) => handled.push(request));
    await clock.advance(500);
    const codes = (await Promise.all(calls)).map(([reply]) => reply?.error?.code);
    expect(codes[0]).toBe("timeout");
    expect(codes.slice(1, 64)).toEqual(Array(63).fill(undefined));
    expect(codes.slice(64)).toEqual(Array(6).fill("unknown-module"));
    expect(handled).toEqual(Array.from({ length: 63 }, (_, index) => index + 1));
  });

  test.each([
    ["64 calls", 64, ""],
    ["1 MiB of calls", 2, "x".repeat(500_000)],
  ])("lets %s wait, and as many again after these, and messages beside them", async (_, count, request) => {
    const { ann, bob, clock } = createLinkedPair({ moduleGrace: 2_000 });
    const handled = vi.fn(() => "saved");
    const offer = () => bob.module("Save", handled);
    offer().withdraw();
    for (const _round of [1, 2]) {
      const calls = Array.from({ length: count + 1 }, () => ann.call("Save", request).all());
      ann.notify("Save", request);
      await clock.advance(100);
      const { withdraw } = offer();
      await clock.advance(100);
      withdraw();
      const codes = (await Promise.all(calls)).map(([reply]) => reply?.error?.code);
      expect(codes).toEqual([...Array(count).fill(undefined), "unknown-module"]);
    }
    expect(handled).toHaveBeenCalledTimes(2 * count + 2);
  });

  test("leaves no timer when the link is lost", async () => {
    const { ann, bob, clock, cut } = createLinkedPair({ moduleGrace: 1_000 });
    bob.module("Save", () => {}).withdraw();
    ann.notify("Save", 1);
    await clock.advance(100);
    expect(clock.waiting).toBe(1);
    cut();
    expect(clock.waiting).toBe(0);
  });

  test("gives up when the link is lost", async () => {
    const { ann, bob, clock, cut } = createLinkedPair({ moduleGrace: 2_000 });
    const handled: unknown[] = [];
    bob.module("Save", () => {}).withdraw();
    ann.notify("Save", 1);
    const reply = ann.call("Save", 2).first();
    await clock.advance(100);
    cut();
    await expect(reply).rejects.toEqual(code("disconnected"));
    bob.module("Save", ({ request }) => handled.push(request));
    await clock.advance(60_000);
    expect([handled, clock.waiting]).toEqual([[], 0]);
  });
});

describe("lossy messages", () => {
  test("on a closed link open it, and the latest of each module waits for it", async () => {
    const world = await signedIn();
    const cursor = handle(world, undefined, "Cursor");
    const typing = handle(world, undefined, "Typing");
    for (const number of [1, 2, 3]) {
      send(world, "lossy", number, "bob", "Cursor");
      send(world, "lossy", number * 10, "bob", "Typing");
    }
    await world.clock.advance(1_000);
    expect([cursor, typing, world.errors]).toEqual([[3], [30], []]);
    send(world, "lossy", 4, "bob", "Cursor");
    await world.clock.advance(100);
    expect(cursor).toEqual([3, 4]);
    await world.clock.advance(120_000);
    expect([world.network.links, world.errors]).toEqual([0, []]);
  });

  test("of more than 1 KiB are refused with advice that helps", async () => {
    const { ann } = await signedIn();
    const reported = vi.fn();
    ann.on("error", reported);
    ann.get("bob").message("Cursor", "x".repeat(2_000), { lossy: true });
    expect(reported).toHaveBeenCalledWith(expect.objectContaining({ code: "too-large" }));
    expect(reported.mock.calls[0]?.[0].message).toMatch(/1024 bytes.*omit `lossy`/);
    expect(reported.mock.calls[0]?.[0].message).not.toContain("stream");
  });
});
