import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { listen } from "./listen.ts";

async function listenOn(port?: number): Promise<number> {
  const http = createServer();
  onTestFinished(() => void http.close());
  await listen(http, "127.0.0.1", port);
  return (http.address() as AddressInfo).port;
}

test("without a port, each server takes the next free port from 8000", async () => {
  const first = await listenOn();
  const second = await listenOn();
  expect(first).toBeGreaterThanOrEqual(8_000);
  expect(second).toBeGreaterThan(first);
  expect(second).toBeLessThanOrEqual(8_100);
});

test("a chosen port that is in use is an error that says what to do", async () => {
  const taken = await listenOn(0);
  await expect(listenOn(taken)).rejects.toThrow(`port ${taken} is in use; choose another with --port`);
});
