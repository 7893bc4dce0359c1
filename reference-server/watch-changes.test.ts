import { expect, test, vi } from "vitest";
import { until } from "../tools/eventually.ts";
import type { Log } from "./log.ts";
import { openSqliteStore } from "./store/sqlite.ts";
import { virtualClock } from "./testing/virtual-clock.ts";
import { watchChanges } from "./watch-changes.ts";

const ignore = () => {};
const log: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

async function watched() {
  const store = await openSqliteStore(":memory:");
  const clock = virtualClock();
  const onChange = vi.fn(async () => {});
  watchChanges(store, clock, log, onChange);
  const poll = async () => {
    clock.advance(500);
    await new Promise(setImmediate);
  };
  return { store, clock, onChange, poll };
}

test.each([
  ["behind", -300_000],
  ["ahead", 300_000],
])("a change by a machine whose clock is five minutes %s takes effect once", async (_, skew) => {
  const { store, clock, onChange, poll } = await watched();
  await poll();
  await store.addChange!({ id: "1", username: "ann", at: clock.now() + skew });
  await until(async () => {
    await poll();
    return onChange.mock.calls.length > 0;
  });
  for (let polls = 0; polls < 3; polls++) await poll();
  expect(onChange).toHaveBeenCalledTimes(1);
});

test("changes are looked for every 500 ms, so that they take effect within a second", async () => {
  const store = await openSqliteStore(":memory:");
  const changes = vi.spyOn(store, "changes");
  const clock = virtualClock();
  watchChanges(store, clock, log, async () => {});
  clock.advance(499);
  expect(changes).not.toHaveBeenCalled();
  clock.advance(1);
  expect(changes).toHaveBeenCalledTimes(1);
});

test("a change is handled again after an attempt that failed", async () => {
  const { store, clock, onChange, poll } = await watched();
  onChange.mockRejectedValueOnce(new Error("The test fails it."));
  await store.addChange!({ id: "1", username: "ann", at: clock.now() });
  await until(async () => {
    await poll();
    return onChange.mock.calls.length === 2;
  });
});
