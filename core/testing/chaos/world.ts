import { createRandom, fc } from "../../../tools/property.ts";
import type { Client, ClientOptions } from "../../client.ts";
import { createNetwork, type Network, type NetworkOptions } from "../network.ts";
import { createVirtualClock, type VirtualClock } from "../virtual-clock.ts";

/** Clients on a network with disturbances. */
export interface World {
  readonly clock: VirtualClock;
  readonly network: Network;
  readonly clients: readonly Client[];
}

/** One step of a history: an action of one client, and the pause after it in ms. */
export interface Step<What extends string> {
  readonly what: What;
  readonly whose: number;
  readonly other: number;
  readonly pause: number;
}

type Disturbance =
  | "partition"
  | "heal"
  | "drop"
  | "sleep"
  | "wake"
  | "serverDies"
  | "serverReturns"
  | "leave"
  | "enter";

/** The disturbances of networks, servers and pages. */
export const disturbances: Readonly<Record<Disturbance, (world: World, client: Client) => void>> = {
  partition: ({ network }, client) => network.partition(client.getId() ?? ""),
  heal: ({ network }) => network.heal(),
  drop: ({ network }, client) => network.drop(client.getId() ?? ""),
  sleep({ network }, client) {
    network.partition(client.getId() ?? "");
    network.discovery.interrupt(client.getId());
  },
  wake({ network }, client) {
    network.heal();
    network.discovery.restore(client.getId());
  },
  serverDies: ({ network }) => network.discovery.interrupt(),
  serverReturns: ({ network }) => network.discovery.restore(),
  leave: (_, client) => void client.disconnect(),
  enter: ({ clients }, client) => signIn(client, clients.indexOf(client)),
};

/** Generates a step of one of eight clients. */
export function step<What extends string>(what: readonly What[]): fc.Arbitrary<Step<What>> {
  return fc.record({
    what: fc.constantFrom(...what),
    whose: fc.nat(7),
    other: fc.nat(7),
    pause: fc.oneof(fc.nat(50), fc.nat(3_000), fc.nat(25_000)),
  });
}

/** Creates `size` clients that sign in. */
export function createWorld(size: number, seed: number, options: ClientOptions & NetworkOptions): World {
  const clock = createVirtualClock();
  const network = createNetwork({ clock, latency: 20, jitter: 30, random: createRandom(seed), ...options });
  const clients = Array.from({ length: size }, (_, index) => network.client(nameOf(index), options));
  for (const [index, client] of clients.entries()) {
    client.on("error", () => {});
    signIn(client, index);
  }
  return { clock, network, clients };
}

/** Ends all disturbances, and lets `rest` ms pass with every client signed in. */
export async function settleWorld({ clock, network, clients }: World, rest: number): Promise<void> {
  network.heal();
  network.discovery.restore();
  await clock.advance(30_000);
  for (const [index, client] of clients.entries()) if (client.status.peek() === "offline") signIn(client, index);
  await clock.advance(rest);
}

/** Signs every client out, and advances the time past every timeout. */
export async function leaveAll({ clock, clients }: World): Promise<void> {
  await Promise.all(clients.map((client) => client.disconnect()));
  await clock.advance(60_000);
}

function signIn(client: Client, index: number): void {
  // A sign-in fails while the server is down. `settleWorld` repeats it.
  client.connect("test", nameOf(index), "").catch(() => {});
}

// Some users have several logins.
function nameOf(index: number): string {
  return `user ${index % 5}`;
}
