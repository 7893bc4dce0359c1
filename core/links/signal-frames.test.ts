import { expect, test } from "vitest";
import type { Client } from "../client.ts";
import { createMemoryDiscovery } from "../discovery/memory.ts";
import { createClientOn } from "../testing/client-on.ts";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { createMemoryNetwork } from "../transport/memory.ts";
import type { Description, SignalExchange, Transport } from "../transport/transport.ts";

/** One side of the signaling, with a log of the descriptions it received. */
interface Part {
  readonly exchange: SignalExchange;
  readonly received: Description[];
  sent?: Description;
}

/** Wraps a transport to record the signals of each attempt. */
function recordSignals(transport: Transport): { readonly transport: Transport; readonly parts: Part[] } {
  const parts: Part[] = [];
  return {
    parts,
    transport: {
      open(peer, role, exchange) {
        const part: Part = { exchange, received: [] };
        parts.push(part);
        return transport.open(peer, role, {
          ...exchange,
          describe(description) {
            part.sent = description;
            exchange.describe(description);
          },
          listen: (listener) =>
            exchange.listen({
              ...listener,
              description(description) {
                part.received.push(description);
                listener.description(description);
              },
            }),
        });
      },
    },
  };
}

/** Ann has called Bob, and their link is settled. */
async function annAndBob() {
  const clock = createVirtualClock();
  const discovery = createMemoryDiscovery({ clock, latency: 5 });
  const network = createMemoryNetwork({ clock, latency: 5 });
  const { transport, parts } = recordSignals(network.transport);
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

test("without the discovery server, an open link carries the signals of its own restart", async () => {
  const { clock, discovery, caller, callee } = await annAndBob();
  discovery.interrupt();
  await clock.advance(100);
  caller.exchange.describe(caller.sent!);
  await clock.advance(100);
  expect(callee.received).toEqual([caller.sent, caller.sent]);
  expect(caller.received).toEqual([callee.sent, callee.sent]);
});

test("the signals of a restart go through discovery, too, before the link is known to be interrupted", async () => {
  const { clock, network, caller, callee, bob } = await annAndBob();
  network.partition(bob);
  caller.exchange.describe(caller.sent!);
  await clock.advance(100);
  expect(callee.received).toHaveLength(2);
  expect(caller.received).toHaveLength(2);
});

test("signals that an interrupted link could not carry arrive once when it recovers, also without a server", async () => {
  const { clock, discovery, network, caller, callee, bob } = await annAndBob();
  discovery.interrupt();
  network.partition(bob);
  await clock.advance(6_000);
  caller.exchange.describe(caller.sent!);
  await clock.advance(5_000);
  expect(callee.received).toHaveLength(1);
  network.heal();
  await clock.advance(100);
  expect(callee.received).toHaveLength(2);
});
