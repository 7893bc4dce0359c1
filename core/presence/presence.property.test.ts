import { expect, test } from "vitest";
import { baseSeed, createDice, createRandom, runs } from "../../tools/property.ts";
import { createNetwork } from "../testing/network.ts";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { definePresence, type OwnPresence, type PeerPresence } from "./definition.ts";

const Small = definePresence("Small");
const Large = definePresence("Large");
const sizes = new Map([
  [Small, 10],
  [Large, 3_000],
]);

/** Longer than a redial may wait, after everything works again. */
const calmMs = 60_000;

/** 1 000 random actions of one peer that offers two values and one that follows them, on a bad network. */
async function run(seed: number): Promise<void> {
  const dice = createDice(seed);
  const clock = createVirtualClock();
  const network = createNetwork({
    clock,
    random: createRandom(seed + 1),
    latency: dice(40),
    jitter: dice(30),
    loss: dice(10) / 10,
  });
  const [ann, bob] = [network.client("ann"), network.client("bob")];
  const offers = new Map<typeof Small, OwnPresence<unknown>>();
  const latest = new Map<typeof Small, unknown>();
  const shown = new Map<typeof Small, readonly PeerPresence<unknown>[]>();
  const undo = new Map<typeof Small, () => void>();
  let count = 0;

  const signIn = (client: typeof ann, name: string) => void client.connect("test", name, "").catch(() => {});
  const either = () => (dice(2) === 0 ? Small : Large);

  function set(definition: typeof Small): void {
    const value = String(++count).padEnd(sizes.get(definition)!, ".");
    const offer = offers.get(definition);
    if (offer) offer.set(value);
    else offers.set(definition, bob.presence(definition, value));
    latest.set(definition, value);
  }

  function withdraw(definition: typeof Small): void {
    offers.get(definition)?.stop();
    offers.delete(definition);
    latest.delete(definition);
  }

  function subscribe(definition: typeof Small): void {
    if (undo.has(definition)) return;
    const values = ann.get("*").presence(definition);
    undo.set(
      definition,
      values.subscribe((list) => shown.set(definition, list)),
    );
  }

  function unsubscribe(definition: typeof Small): void {
    undo.get(definition)?.();
    undo.delete(definition);
  }

  /** A sign-in that fails at once is not repeated by the client. */
  function restore(): void {
    network.discovery.restore();
    signIn(ann, "ann");
    signIn(bob, "bob");
  }

  function act(): void {
    const action = dice(100);
    const link = [ann.getId() ?? "", bob.getId() ?? ""] as const;
    if (action < 80) set(either());
    else if (action < 84) network.drop(...link);
    else if (action < 86) network.partition(...link);
    else if (action < 90) network.heal();
    else if (action < 93) unsubscribe(either());
    else if (action < 96) subscribe(either());
    else if (action < 97) withdraw(either());
    else if (action < 98) network.discovery.interrupt();
    else if (action < 99) restore();
    else {
      const [client, name] = dice(2) === 0 ? ([ann, "ann"] as const) : ([bob, "bob"] as const);
      void client.disconnect();
      signIn(client, name);
    }
  }

  restore();
  await clock.advance(1_000);
  for (const definition of [Small, Large]) subscribe(definition);
  for (let n = 0; n < 1_000; n++) {
    act();
    if (dice(4) === 0) await clock.advance(dice(10) === 0 ? dice(3_000) : dice(60));
  }
  network.heal();
  restore();
  for (const definition of [Small, Large]) subscribe(definition);
  await clock.advance(calmMs);
  for (const definition of [Small, Large]) {
    const expected = latest.has(definition) ? [{ value: latest.get(definition), stale: false }] : [];
    const actual = shown.get(definition)?.map(({ value, stale }) => ({ value, stale }));
    expect(actual, `seed ${seed}, ${definition.name}`).toEqual(expected);
  }
  await Promise.all([ann.disconnect(), bob.disconnect()]);
}

test("after 1 000 random sets, drops and reconnects a subscriber shows the latest value", {
  timeout: 300_000,
}, async () => {
  for (let n = 0; n < runs(200); n++) await run(baseSeed * 1_000 + n);
});
