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

test("a request is pending until the server answers, and gives its answer", async () => {
  const pending: boolean[] = [];
  trust.state.subscribe((state) => pending.push(state.pending));
  expect(await trust.requestToken("Bob")).toMatchObject({ token: expect.any(String) });
  await eventually(() => expect(pending).toEqual([false, true, false]));
});

test("a refusal is shown until the next request, and nobody has to catch it", async () => {
  trust.claimToken("Bob", "no such token");
  await eventually(() =>
    expect(trust.state.peek()).toMatchObject({ pending: false, error: { code: "token-invalid" } }),
  );
  const next = trust.requestToken("Bob");
  expect(trust.state.peek()).toEqual({ pending: true, error: undefined });
  await next;
});

test("whoever waits learns what came of a request, and never by a rejection: a form's framework would take that for a bug", async () => {
  const bob = network.client("bob");
  await bob.connect("test", "bob", "");
  network.discovery.distrust("ann", "bob");
  expect(await trust.claimToken("Bob", "no such token")).toBe(false);
  expect(await trust.claimToken("Bob", (await bob.requestToken("Ann")).token)).toBe(true);
  expect(await trust.requestToken("Us")).toBeUndefined();
  expect(await trust.removeUser("Bob")).toBe(true);
  expect(await trust.removeUser("Bob")).toBe(false);
  expect(await trust.invite("cyd@example.org")).toBe(true);
});

test("requests that overlap are pending until the last has ended, and the error of either is shown", async () => {
  const requests = [trust.claimToken("Bob", "no such token"), trust.requestToken("Cid")];
  await Promise.all(requests);
  await eventually(() =>
    expect(trust.state.peek()).toMatchObject({ pending: false, error: { code: "token-invalid" } }),
  );
});
