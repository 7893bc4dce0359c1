import { effect } from "@preact/signals-core";
import { expect, test, vi } from "vitest";
import { createLive, createLiveList, createTopic, invalidate, set } from "./reactive.ts";

test("a subscriber gets the current value at once, and each change before set returns", () => {
  const live = createLive("a");
  const received: string[] = [];
  const stop = live.subscribe((value) => received.push(value));
  set(live, "b");
  set(live, "b");
  stop();
  set(live, "c");
  expect(received).toEqual(["a", "b"]);
  expect(live.peek()).toBe("c");
});

test("an app's own signals can depend on a live value and on a live list", () => {
  const live = createLive(1);
  let items = [1];
  const topic = createTopic();
  const list = createLiveList(() => items, [topic]);
  const seen = vi.fn();
  effect(() => seen(live.value + list.value.length));
  set(live, 2);
  items = [1, 2];
  invalidate(topic);
  expect(seen.mock.calls).toEqual([[2], [3], [4]]);
});

test("a live value is read-only", () => {
  const live = createLive(1);
  expect(Object.keys(live).sort()).toEqual(["peek", "subscribe", "value"]);
  expect(() => Object.assign(live, { value: 2 })).toThrow(TypeError);
});

test("a burst of changes costs one copy of a list with a subscriber", async () => {
  let builds = 0;
  const topic = createTopic();
  const list = createLiveList(() => [++builds], [topic]);
  const told = vi.fn();
  list.subscribe(told);
  for (let change = 0; change < 1_000; change++) invalidate(topic);
  await Promise.resolve();
  expect(told.mock.calls).toEqual([[[1]], [[2]]]);
});
