import { expect, test } from "vitest";
import { type Client, createClientOn } from "../client.ts";
import { createMemoryDiscovery } from "../discovery/memory.ts";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { createMemoryNetwork } from "../transport/memory.ts";
import type { Description, SignalExchange, Transport } from "../transport/transport.ts";

/** One side's part in the making of a link, and what it has heard. */
interface Part {
  readonly exchange: SignalExchange;
  readonly heard: Description[];
  said?: Description;
}

/** Passes everything on, and remembers each attempt's signals. */
function overheard(transport: Transport): { readonly transport: Transport; readonly parts: Part[] } {
  const parts: Part[] = [];
  return {
    parts,
    transport: {
      open(peer, role, exchange) {
        const part: Part = { exchange, heard: [] };
        parts.push(part);
        return transport.open(peer, role, {
          ...exchange,
          describe(description) {
            part.said = description;
            exchange.describe(description);
          },
          hear: (listener) =>
            exchange.hear({
              ...listener,
              description(description) {
                part.heard.push(description);
                listener.description(description);
              },
            }),
        });
      },
    },
  };
}

/** Ann has called Bob, and nothing is left to be said about their link. */
async function annAndBob() {
  const clock = createVirtualClock();
  const discovery = createMemoryDiscovery({ clock, latency: 5 });
  const network = createMemoryNetwork({ clock, latency: 5 });
  const { transport, parts } = overheard(network.transport);
  const [ann, bob] = ["ann", "bob"].map((name) => {
    discovery.addUser(name, "");
    return createClientOn(clock, { discovery, transport });
  }) as [Client, Client];
  discovery.trust("ann", "bob", "bob", "ann");
  bob.module("Any", () => "bob");
  ann.connect("test", "ann", "");
  bob.connect("test", "bob", "");
  await clock.advance(100);
  ann.get("bob").call("Any");
  await clock.advance(3_000);
  const [caller, callee] = parts as [Part, Part];
  return { clock, discovery, network, caller, callee, bob: bob.getId() as string };
}

test("while the discovery server is away, an open link carries the signals of its own restart", async () => {
  const { clock, discovery, caller, callee } = await annAndBob();
  discovery.interrupt();
  await clock.advance(100);
  caller.exchange.describe(caller.said!);
  await clock.advance(100);
  expect(callee.heard).toEqual([caller.said, caller.said]);
  expect(caller.heard).toEqual([callee.said, callee.said]);
});

test("the signals of a restart go through discovery too, before anybody has noticed a silence", async () => {
  const { clock, network, caller, callee, bob } = await annAndBob();
  network.partition(bob);
  caller.exchange.describe(caller.said!);
  await clock.advance(100);
  expect(callee.heard).toHaveLength(2);
  expect(caller.heard).toHaveLength(2);
});

test("what an interrupted link could not carry is heard once when it recovers, also without a server", async () => {
  const { clock, discovery, network, caller, callee, bob } = await annAndBob();
  discovery.interrupt();
  network.partition(bob);
  await clock.advance(6_000);
  caller.exchange.describe(caller.said!);
  await clock.advance(5_000);
  expect(callee.heard).toHaveLength(1);
  network.heal();
  await clock.advance(100);
  expect(callee.heard).toHaveLength(2);
});
