import { flushSync, mount } from "svelte";
import { get } from "svelte/store";
import { beforeEach, expect, test } from "vitest";
import { createNetwork } from "../../core/testing/network.ts";
import { eventually } from "../../tools/eventually.ts";
import { type CountedClient, counted } from "../conformance/counted.ts";
import people from "./conformance/people.svelte";
import { type Current, follow } from "./current.ts";
import { getClient } from "./index.ts";

let ann: CountedClient;

beforeEach(() => {
  ann = counted(createNetwork().client("ann"));
});

/** Looks at a value from an effect; returns the undo, and what it saw. */
function look<T>(value: Current<T>): { readonly seen: readonly T[]; stop(): void } {
  const seen: T[] = [];
  const stop = $effect.root(() => {
    $effect(() => {
      seen.push(value.current);
    });
  });
  flushSync();
  return { seen, stop };
}

test("a value is watched only while somebody looks, and always the present one", async () => {
  const status = follow(() => ann.client.status);
  expect(status.current).toBe("offline");
  expect(ann.open).toBe(0);
  const looks = [look(status), look(status)];
  expect(ann.open).toBe(1);
  await ann.client.connect("test", "ann", "");
  flushSync();
  for (const { seen, stop } of looks) {
    expect(seen.at(-1)).toBe("online");
    stop();
  }
  await eventually(() => expect(ann.open).toBe(0));
  expect(status.current).toBe("online");
  await ann.client.disconnect();
  expect(status.current).toBe("offline");
});

test("a value is a store outside components as well", async () => {
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

test("a value may depend on runes: what is read and what is watched change together", async () => {
  let query = $state("Us");
  const list = follow(() => ann.client.get(query).peers);
  const { seen, stop } = look(list);
  query = "bob";
  flushSync();
  expect(seen).toEqual([[], []]);
  expect(seen[1]).toBe(ann.client.get("bob").peers.peek());
  await eventually(() => expect(ann.open).toBe(1));
  stop();
  await eventually(() => expect(ann.open).toBe(0));
});

test("without a client the error says what to do", () => {
  const target = document.createElement("div");
  expect(() => mount(people, { target, props: { query: "*", saw: () => {} } })).toThrow("call setClient(client)");
  expect(getClient).toThrow("lifecycle_outside_component");
});
