import { expect, test } from "vitest";
import { until } from "../tools/eventually.ts";
import type { Log } from "./log.ts";
import { openSqliteStore } from "./store/sqlite.ts";
import { createStoreMonitor } from "./store-monitor.ts";
import { virtualClock } from "./testing/virtual-clock.ts";

async function monitored() {
  const store = await openSqliteStore(":memory:");
  const clock = virtualClock();
  const warnings: string[] = [];
  const ignore = () => {};
  const log: Log = { debug: ignore, info: ignore, error: ignore, warn: (_, message) => void warnings.push(message) };
  const start = (isClustered: boolean) => createStoreMonitor({ store, clock, log, isClustered });
  return { store, clock, warnings, start };
}

test("two servers on one store without a cluster warn, once each, and name --cluster", async () => {
  const { clock, warnings, start } = await monitored();
  start(false);
  start(false);
  await until(() => {
    clock.advance(5_000);
    return warnings.length === 2;
  });
  expect(warnings).toEqual(Array(2).fill(expect.stringMatching(/another server uses the same store.*--cluster/)));
  for (let beats = 0; beats < 3; beats++) {
    clock.advance(5_000);
    await new Promise(setImmediate);
  }
  expect(warnings).toHaveLength(2);
});

test("servers of a cluster, a server that has stopped and one that crashed earlier cause no warning", async () => {
  const { store, clock, warnings, start } = await monitored();
  await store.heartbeat!("crashed", clock.now() - 1_000, 0);
  const stopped = start(false);
  await stopped.check();
  await stopped.close();
  const [one, two] = [start(true), start(true)];
  for (let beats = 0; beats < 3; beats++) {
    clock.advance(5_000);
    await Promise.all([one.check(), two.check()]);
  }
  await Promise.all([one.close(), two.close()]);
  const last = start(false);
  clock.advance(5_000);
  await last.check();
  expect(warnings).toEqual([]);
});
