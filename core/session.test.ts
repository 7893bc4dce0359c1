import { describe, expect, test, vi } from "vitest";
import { type Client, createClient } from "./client.ts";
import type { DiscoverySession } from "./discovery/discovery.ts";
import { createMemoryDiscovery } from "./discovery/memory.ts";
import { createClientOn } from "./testing/client-on.ts";
import { createNetwork, type Network } from "./testing/network.ts";
import { createVirtualClock, type VirtualClock } from "./testing/virtual-clock.ts";
import { createMemoryNetwork } from "./transport/memory.ts";

interface World {
  readonly clock: VirtualClock;
  readonly network: Network;
  /** A client that is signed in. */
  client(name: string): Promise<Client>;
}

function world(): World {
  const clock = createVirtualClock();
  const network = createNetwork({ clock, latency: 5 });
  return {
    clock,
    network,
    async client(name) {
      const client = network.client(name);
      client.connect("test", name, "");
      await clock.advance(50);
      return client;
    },
  };
}

/** How a sign-in ends: "in", or its error's code. */
function outcome(signingIn: Promise<void>): Promise<string> {
  return signingIn.then(
    () => "in",
    (error) => error.code,
  );
}

function eventsOf(client: Client): string[] {
  const events: string[] = [];
  for (const event of ["connect", "peerconnect", "disconnect"] as const) client.on(event, () => events.push(event));
  return events;
}

describe("an app that signs out in a listener", () => {
  test("of connect gets only its own disconnect", async () => {
    const { clock, network, client } = world();
    await client("bob");
    for (const live of ["status", "self"] as const) {
      const ann = network.client("ann");
      const events = eventsOf(ann);
      ann[live].subscribe(() => {
        if (ann.status.peek() === "online") ann.disconnect();
      });
      const signingIn = outcome(ann.connect("test", "ann", ""));
      await clock.advance(100);
      expect(await signingIn).toBe("cancelled");
      expect([ann.status.peek(), ann.self.peek(), events]).toEqual(["offline", undefined, ["disconnect"]]);
    }
  });

  test("of its sign-in gets no peerconnect", async () => {
    const { clock, network, client } = world();
    await client("bob");
    const ann = network.client("ann");
    ann.on("connect", () => ann.disconnect());
    const events = eventsOf(ann);
    const signingIn = outcome(ann.connect("test", "ann", ""));
    await clock.advance(100);
    expect(await signingIn).toBe("cancelled");
    expect(events).toEqual(["disconnect", "connect"]);
  });

  test("of disconnect gets one disconnect", async () => {
    const { network, client } = world();
    const ann = await client("ann");
    const events = eventsOf(ann);
    ann.status.subscribe((status) => {
      if (status === "reconnecting") ann.disconnect();
    });
    network.discovery.interrupt(ann.getId());
    expect([ann.status.peek(), events]).toEqual(["offline", ["disconnect"]]);
  });
});

describe("an app in a listener of its sign-out", () => {
  test("can sign in again from a handler whose call ends", async () => {
    const { clock, network, client } = world();
    const [ann, bob] = [await client("ann"), await client("bob")];
    network.client("cid");
    let again: Promise<string> | undefined;
    ann.module("Wait", ({ signal }) => {
      signal.addEventListener("abort", () => {
        again = outcome(ann.connect("test", "cid", ""));
      });
      return new Promise(() => {});
    });
    bob.get("ann").call("Wait");
    await clock.advance(100);
    ann.disconnect();
    await clock.advance(100);
    expect(await again).toBe("in");
    expect([ann.status.peek(), ann.self.peek()?.username]).toEqual(["online", "cid"]);
  });

  test("sees a consistent state", async () => {
    const { client } = world();
    const ann = await client("ann");
    const seen: unknown[] = [];
    for (const live of [ann.status, ann.self]) live.subscribe(() => seen.push([ann.status.peek(), ann.getId()]));
    seen.length = 0;
    await ann.disconnect();
    expect(seen).toEqual([
      ["offline", undefined],
      ["offline", undefined],
    ]);
  });

  test("gets not-connected for calls, as always while signed out", async () => {
    const { clock, client } = world();
    const [ann, bob] = [await client("ann"), await client("bob")];
    bob.module("Never", () => new Promise(() => {}));
    const ids = [bob.getId()!, (await client("cid")).getId()!];
    const refused: unknown[] = [];
    ann
      .get("bob")
      .call("Never")
      .state.subscribe(({ pending }) => {
        if (pending > 0) return;
        for (const id of ids) refused.push(ann.get(id).call("Never").state.peek().replies[0]?.error?.code);
      });
    await clock.advance(100);
    await ann.disconnect();
    expect(refused).toEqual(["not-connected", "not-connected"]);
  });

  test("can connect: the last connect wins, and no other session stays open", async () => {
    const { clock, network, client } = world();
    const [ann, bob] = [await client("ann"), await client("bob")];
    for (const name of ["cid", "dan"]) network.client(name);
    let inner: Promise<string> | undefined;
    ann.on("disconnect", () => {
      inner = outcome(ann.connect("test", "cid", ""));
    });
    const outer = outcome(ann.connect("test", "dan", ""));
    await clock.advance(100);
    expect([await inner, await outer]).toEqual(["in", "cancelled"]);
    expect(ann.self.peek()?.username).toBe("cid");
    expect(bob.peers.peek().map(({ name }) => name)).toEqual(["cid"]);
  });
});

test("the ICE servers of a discovery server are dropped at the sign-out", async () => {
  const probe = vi.fn(async () => ({ host: true, srflx: true, relay: true, errors: [] }));
  const named = [{ urls: "turn:example.org" }];
  const client = createClient({
    transport: { open: () => Promise.reject() as never, probe },
    discovery: {
      open(_host, _credentials, events) {
        queueMicrotask(() => {
          events.iceServers(named);
          events.online({ self: { id: "a", username: "ann" }, users: [], peers: [] });
        });
        return { close: async () => {} } as DiscoverySession;
      },
    },
  });
  await client.connect("test", "ann", "");
  await client.diagnose();
  await client.disconnect();
  await client.diagnose();
  expect(probe.mock.calls).toEqual([[named], [[]]]);
});

describe("what a peer sends right before it leaves, when the server is faster than the link", () => {
  /** Ann and bob with an open link that takes 100 ms. `log` has bob's events. */
  async function linked() {
    const clock = createVirtualClock();
    const discovery = createMemoryDiscovery({ clock });
    const network = createMemoryNetwork({ clock, latency: 100 });
    const names = ["ann", "bob"] as const;
    for (const name of names) discovery.addUser(name, "");
    discovery.trust("ann", "bob", "bob", "ann");
    const [ann, bob] = names.map(() => createClientOn(clock, { discovery, transport: network.transport })) as [
      Client,
      Client,
    ];
    ann.connect("test", "ann", "");
    bob.connect("test", "bob", "");
    await clock.advance(0);
    const log: unknown[] = [];
    bob.on("peerdisconnect", () => log.push("peerdisconnect", bob.peers.peek().length));
    bob.module("Note", ({ request }) => log.push(request));
    ann.get("bob").message("Note", "hello");
    await clock.advance(1_000);
    expect(log.splice(0)).toEqual(["hello"]);
    return { clock, discovery, network, ann, bob, log };
  }

  test("arrives after peerdisconnect, which is prompt", async () => {
    const { clock, network, ann, log } = await linked();
    ann.get("bob").message("Note", "bye");
    ann.disconnect();
    await clock.advance(1);
    expect(log).toEqual(["peerdisconnect", 0]);
    await clock.advance(999);
    expect([log, network.size]).toEqual([["peerdisconnect", 0, "bye"], 0]);
  });

  test("reaches a module that is offered to its user", async () => {
    const { clock, ann, bob, log } = await linked();
    bob.module("Private", ({ request }) => log.push(request), { allow: { user: "ann" } });
    bob.module("Other", ({ request }) => log.push(request), { allow: { user: "cyd" } });
    ann.get("bob").message("Other", "for nobody");
    ann.get("bob").message("Private", "bye");
    ann.disconnect();
    await clock.advance(1_000);
    expect(log).toEqual(["peerdisconnect", 0, "bye"]);
  });

  test("is an answer, and its caller gets it", async () => {
    const { clock, ann, bob } = await linked();
    const answer = Promise.withResolvers<string>();
    ann.module("Wait", () => answer.promise);
    const reply = bob.get("ann").call("Wait").first();
    await clock.advance(200);
    answer.resolve("bye");
    await clock.advance(0);
    ann.disconnect();
    await clock.advance(200);
    expect(await reply).toBe("bye");
  });

  test("is not read once the trust has ended", async () => {
    const { clock, discovery, network, ann, log } = await linked();
    const errors: string[] = [];
    ann.on("error", ({ code }) => errors.push(code));
    ann.get("bob").message("Note", "bye");
    await clock.advance(0);
    discovery.distrust("ann", "bob");
    await clock.advance(5_000);
    expect([log, errors, network.size]).toEqual([["peerdisconnect", 0], ["disconnected"], 0]);
  });

  test("is not waited for longer than 2 s", async () => {
    const { clock, network, ann, bob } = await linked();
    const link = bob.link(ann.getId()!);
    ann.module("Never", () => new Promise(() => {}));
    const call = bob.get("ann").call("Never");
    await clock.advance(200);
    network.partition(ann.getId()!);
    ann.disconnect();
    await clock.advance(1_999);
    expect([call.state.peek().pending, link.peek().status]).toEqual([1, "open"]);
    await clock.advance(1);
    expect([call.state.peek().replies[0]?.error?.code, link.peek().status]).toEqual(["disconnected", "failed"]);
  });
});
