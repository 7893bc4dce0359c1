import { beforeEach, expect, test, vi } from "vitest";
import type { Client } from "./client.ts";
import { createNetwork } from "./testing/network.ts";
import { createTrust, type Trust } from "./trust.ts";

let ann: Client;
let trust: Trust;

beforeEach(async () => {
  ann = createNetwork().client("ann");
  await ann.connect("test", "ann", "");
  trust = createTrust(ann);
});

test("a request is pending until the server answers, and gives its answer", async () => {
  const pending: boolean[] = [];
  trust.state.subscribe((state) => pending.push(state.pending));
  expect(await trust.requestToken("Bob")).toMatchObject({ token: expect.any(String) });
  await vi.waitFor(() => expect(pending).toEqual([false, true, false]));
});

test("a refusal is shown until the next request, and nobody has to catch it", async () => {
  trust.claimToken("Bob", "no such token");
  await vi.waitFor(() =>
    expect(trust.state.peek()).toMatchObject({ pending: false, error: { code: "token-invalid" } }),
  );
  const next = trust.requestToken("Bob");
  expect(trust.state.peek()).toEqual({ pending: true, error: undefined });
  await next;
});

test("a refusal also reaches whoever waits for it", async () => {
  await expect(trust.claimToken("Bob", "no such token")).rejects.toMatchObject({ code: "token-invalid" });
});

test("requests that overlap are pending until the last has ended, and the error of either is shown", async () => {
  const requests = [trust.claimToken("Bob", "no such token"), trust.requestToken("Cid")];
  await requests[0]?.catch(() => {});
  await requests[1];
  await vi.waitFor(() =>
    expect(trust.state.peek()).toMatchObject({ pending: false, error: { code: "token-invalid" } }),
  );
});
