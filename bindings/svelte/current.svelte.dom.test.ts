import { flushSync, mount } from "svelte";
import { get } from "svelte/store";
import { beforeEach, expect, test } from "vitest";
import { createNetwork } from "../../core/testing/network.ts";
import { eventually } from "../../tools/eventually.ts";
import { type CountingClient, createCountingClient } from "../conformance/counting-client.ts";
import presence from "./conformance/presence.svelte";
import { type Current, follow } from "./current.ts";
import { getClient } from "./index.ts";

let ann: CountingClient;

beforeEach(() => {
  ann = createCountingClient(createNetwork().client("ann"));
});

/** Reads a value in an effect. Returns the values that it read, and a function that stops it. */
function observe<T>(value: Current<T>): { readonly seen: readonly T[]; stop(): void } {
  const seen: T[] = [];
  const stop = $effect.root(() => {
    $effect(() => {
      seen.push(value.current);
    });
  });
  flushSync();
  return { seen, stop };
}

test("a value is always current, and subscribed only while an effect reads it", async () => {
  const status = follow(() => ann.client.status);
  expect(status.current).toBe("offline");
  expect(ann.open).toBe(0);
  const observers = [observe(status), observe(status)];
  expect(ann.open).toBe(1);
  await ann.client.connect("test", "ann", "");
  flushSync();
  for (const { seen, stop } of observers) {
    expect(seen.at(-1)).toBe("online");
    stop();
  }
  await eventually(() => expect(ann.open).toBe(0));
  expect(status.current).toBe("online");
  await ann.client.disconnect();
  expect(status.current).toBe("offline");
});

test("a value works as a store outside components", async () => {
  const status = follow(() => ann.client.status);
  expect(get(status)).toBe("offline");
  const seen: string[] = [];
  const stop = status.subscribe((now) => seen.push(now));
  await ann.client.connect("test", "ann", "");
  await eventually(() => expect(seen.at(-1)).toBe("online"));
  stop();
  await eventually(() => expect(ann.open).toBe(0));
  await ann.client.disconnect();
  expect(seen.at(-1)).toBe("online");
});

test("a value may depend on runes: the value and the subscription change together", async () => {
  let query = $state("Us");
  const list = follow(() => ann.client.get(query).peers);
  const { seen, stop } = observe(list);
  query = "bob";
  flushSync();
  expect(seen).toEqual([[], []]);
  expect(seen[1]).toBe(ann.client.get("bob").peers.peek());
  await eventually(() => expect(ann.open).toBe(1));
  stop();
  await eventually(() => expect(ann.open).toBe(0));
});

test("a missing client throws an error that says what to do", () => {
  const target = document.createElement("div");
  expect(() => mount(presence, { target, props: { query: "*", onPeers: () => {} } })).toThrow("Call setClient(client)");
  expect(getClient).toThrow("lifecycle_outside_component");
});
