import { createNetwork, createVirtualClock } from "bonevalue/testing";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import * as Y from "yjs";
import { createYjsProvider } from "./provider.ts";

// The network's time is the clock's, the provider's pauses are the platform's: both pass together.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A network on virtual time, and users of it who each have a document. */
function createRoom() {
  const clock = createVirtualClock();
  const network = createNetwork({ clock, latency: 10 });
  const troubles: unknown[] = [];

  function join(username: string, room = "notes") {
    const client = network.client(username);
    const doc = new Y.Doc();
    const text = doc.getText("text");
    const provider = createYjsProvider(client, doc, room, { onError: (error) => troubles.push(error) });
    const connect = async () => {
      void client.connect("test", username, "");
      await pass(1);
    };
    return { client, text, provider, connect };
  }

  async function pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      await clock.advance(1_000);
      vi.advanceTimersByTime(1_000);
    }
  }

  return { pass, network, troubles, join };
}

test("two texts that grew apart come together when their peers meet", async () => {
  const { join, troubles } = createRoom();
  const ann = join("ann");
  const bob = join("bob");
  ann.text.insert(0, "Tea ");
  bob.text.insert(0, "Milk ");
  await ann.connect();
  await bob.connect();
  expect(ann.text.toString()).toBe(bob.text.toString());
  expect([...ann.text.toString().split(" ")].sort()).toEqual(["", "Milk", "Tea"]);
  expect(troubles).toEqual([]);
});

test("what changed while the path was broken arrives when it is whole again", async () => {
  const { pass, network, join, troubles } = createRoom();
  const ann = join("ann");
  const bob = join("bob");
  await ann.connect();
  await bob.connect();
  network.partition(bob.client.getId()!);
  ann.text.insert(0, "Tea");
  await pass(120);
  expect(bob.text.toString()).toBe("");
  network.heal();
  await pass(120);
  expect(bob.text.toString()).toBe("Tea");
  expect(troubles).toEqual([]);
});

test("a peer without the room is left alone", async () => {
  const { join, troubles } = createRoom();
  const ann = join("ann");
  const bob = join("bob", "other notes");
  await ann.connect();
  await bob.connect();
  ann.text.insert(0, "Tea");
  expect(bob.text.toString()).toBe("");
  expect(troubles).toEqual([]);
});

test("after its end a provider neither tells nor takes", async () => {
  const { pass, join } = createRoom();
  const ann = join("ann");
  const bob = join("bob");
  await ann.connect();
  await bob.connect();
  ann.provider.destroy();
  ann.text.insert(0, "Tea");
  bob.text.insert(0, "Milk");
  await pass(1);
  expect([ann.text.toString(), bob.text.toString()]).toEqual(["Tea", "Milk"]);
});
