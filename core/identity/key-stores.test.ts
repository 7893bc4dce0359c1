import { expect, test, vi } from "vitest";
import { memoryKeyStore } from "./key-stores.ts";

test("a store in memory keeps keys of the platform, and tells of changes until the subscription ends", async () => {
  const store = memoryKeyStore();
  expect(store.storesCryptoKeys).toBe(true);
  const listener = vi.fn();
  const undo = store.subscribe!("server ann", listener);
  await store.update("server ann", () => 1);
  await store.update("server bob", () => 1);
  expect(listener).toHaveBeenCalledTimes(1);
  undo();
  expect(await store.update("server ann", (value) => Number(value) + 1)).toBe(2);
  expect(listener).toHaveBeenCalledTimes(1);
});
