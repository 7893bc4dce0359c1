import { expect, test } from "vitest";
import type { Discovery, DiscoveryEvents, DiscoverySession, OpenOptions } from "../discovery/discovery.ts";
import { createClientLog } from "./client-log.ts";
import { observeDiscovery } from "./observe-discovery.ts";

test("leaving a session is recorded once, even if identity has replaced `close`", async () => {
  const log = createClientLog();
  const discovery: Discovery = { open: () => ({ close: async () => {} }) as DiscoverySession };
  const credentials = { room: "demo", name: "Ann" };
  const session = observeDiscovery(discovery, log).open("test", credentials, {} as DiscoveryEvents, {} as OpenOptions);
  const close = session.close.bind(session);
  Object.assign(session, { close: () => close() });
  await session.close();
  expect(log.events.newestFirst().filter(({ text }) => text === "left")).toHaveLength(1);
});

test("an observed discovery names the keys of its users as it does without the inspector", () => {
  const urlOf = (host: string) => `wss://${host}/socket`;
  const discovery: Required<Discovery> = { local: true, urlOf, open: () => ({}) as DiscoverySession };
  const observed = observeDiscovery(discovery, createClientLog());
  expect(observed.urlOf?.("test")).toBe("wss://test/socket");
  expect(Object.keys(observed).sort()).toEqual(Object.keys(discovery).sort());
});
