import { createNetwork, createVirtualClock } from "bonevalue/testing";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import * as Y from "yjs";
import { createYjsProvider } from "./provider.ts";

// The network uses the virtual clock, the provider uses platform timers. The tests advance both together.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A network with a virtual clock, whose users each have a document. */
function createDocuments() {
  const clock = createVirtualClock();
  const network = createNetwork({ clock, latency: 10 });
  const errors: unknown[] = [];

  function join(username: string, room = "notes") {
    const client = network.client(username);
    const doc = new Y.Doc();
    const text = doc.getText("text");
    const provider = createYjsProvider(client, doc, room, { onError: (error) => errors.push(error) });
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

  return { pass, network, errors, join };
}

test("two diverged texts merge when their peers connect", async () => {
  const { join, errors } = createDocuments();
  const ann = join("ann");
  const bob = join("bob");
  ann.text.insert(0, "Tea ");
  bob.text.insert(0, "Milk ");
  await ann.connect();
  await bob.connect();
  expect(ann.text.toString()).toBe(bob.text.toString());
  expect([...ann.text.toString().split(" ")].sort()).toEqual(["", "Milk", "Tea"]);
  expect(errors).toEqual([]);
});

test("changes during a broken path arrive when the path works again", async () => {
  const { pass, network, join, errors } = createDocuments();
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
  expect(errors).toEqual([]);
});

test("a peer with another room is not synchronized", async () => {
  const { join, errors } = createDocuments();
  const ann = join("ann");
  const bob = join("bob", "other notes");
  await ann.connect();
  await bob.connect();
  ann.text.insert(0, "Tea");
  expect(bob.text.toString()).toBe("");
  expect(errors).toEqual([]);
});

test("a destroyed provider neither sends nor receives changes", async () => {
  const { pass, join } = createDocuments();
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
