import { beforeEach, expect, test } from "vitest";
import { eventually } from "../tools/eventually.ts";
import type { Client } from "./client.ts";
import { createNetwork, type Network } from "./testing/network.ts";
import { createTrust, type Trust } from "./trust.ts";

let network: Network;
let ann: Client;
let trust: Trust;

beforeEach(async () => {
  network = createNetwork();
  ann = network.client("ann");
  await ann.connect("test", "ann", "");
  trust = createTrust(ann);
});

test("a request is pending until the server answers, and resolves with the answer", async () => {
  const pending: boolean[] = [];
  trust.state.subscribe((state) => pending.push(state.pending));
  expect(await trust.requestToken("Bob")).toMatchObject({ token: expect.any(String) });
  await eventually(() => expect(pending).toEqual([false, true, false]));
});

test("an error stays in the state until the next request, and nothing rejects", async () => {
  trust.claimToken("Bob", "no such token");
  await eventually(() =>
    expect(trust.state.peek()).toMatchObject({ pending: false, error: { code: "token-invalid" } }),
  );
  const next = trust.requestToken("Bob");
  expect(trust.state.peek()).toEqual({ pending: true, error: undefined });
  await next;
});

test("a request resolves to its result and never rejects, because frameworks treat rejections as bugs", async () => {
  const bob = network.client("bob");
  await bob.connect("test", "bob", "");
  network.discovery.distrust("ann", "bob");
  expect(await trust.claimToken("Bob", "no such token")).toBe(false);
  expect(await trust.claimToken("Bob", (await bob.requestToken("Ann")).token)).toBe(true);
  expect(await trust.requestToken("Us")).toBeUndefined();
  expect(await trust.removeUser("Bob")).toBe(true);
  expect(await trust.removeUser("Bob")).toBe(false);
  expect(await trust.invite("cyd@example.org")).toBe(true);
  expect(await trust.invite("cyd@example.org", { alias: "Cyd", as: "*" })).toBe(false);
  expect(trust.state.peek().error?.code).toBe("alias-reserved");
});

test("overlapping requests are pending until the last has ended, and the error of either is in the state", async () => {
  const requests = [trust.claimToken("Bob", "no such token"), trust.requestToken("Cid")];
  await Promise.all(requests);
  await eventually(() =>
    expect(trust.state.peek()).toMatchObject({ pending: false, error: { code: "token-invalid" } }),
  );
});
