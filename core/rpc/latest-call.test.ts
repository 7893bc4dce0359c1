import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Client } from "../client.ts";
import { createNetwork } from "../testing/network.ts";
import { type CallState, createLatestCall, type LatestCall } from "./latest-call.ts";

let ann: Client;
let peers: readonly Client[];
let latest: LatestCall<string>;

beforeEach(async () => {
  const network = createNetwork();
  ann = network.client("ann");
  peers = ["bob", "cid"].map((name) => network.client(name));
  await ann.connect("test", "ann", "");
  for (const [index, name] of ["bob", "cid"].entries()) await peers[index]?.connect("test", name, "");
  await vi.waitFor(() => expect(ann.peers.peek()).toHaveLength(2));
  latest = createLatestCall();
});

const ended = () => vi.waitFor(() => expect(latest.state.peek().pending).toBe(false));

/** Everything that a view is shown until the call has ended. */
async function shown(): Promise<readonly CallState<string>[]> {
  const states: CallState<string>[] = [];
  const stop = latest.state.subscribe((state) => states.push(state));
  await ended();
  stop();
  return states;
}

describe("a latest call", () => {
  test("shows nothing before there is one", () => {
    expect(latest.state.peek()).toEqual({
      replies: [],
      pending: false,
      first: undefined,
      progress: { targets: 0, replied: 0 },
      error: undefined,
    });
  });

  test("shows replies as they arrive, and the first value", async () => {
    for (const peer of peers) peer.module("Name", () => peer.self.peek()?.username);
    latest.follow(ann.get("*").call("Name"));
    const states = await shown();
    expect(states.map(({ progress }) => progress.replied)).toEqual([0, 1, 2]);
    expect(states.map(({ pending }) => pending)).toEqual([true, true, false]);
    expect(states.at(-1)?.first).toBe(states.at(-1)?.replies[0]?.value);
    expect(states.at(-1)?.error).toBeUndefined();
  });

  test("ends with a value where one of several peers fails", async () => {
    peers[0]?.module("Name", () => "bob");
    latest.follow(ann.get("*").call("Name"));
    await ended();
    expect(latest.state.peek()).toMatchObject({ first: "bob", error: undefined, progress: { targets: 2, replied: 2 } });
  });

  test.for([
    ["the only peer's own error", "bob", "unknown-module"],
    ["all-failed for several", "*", "all-failed"],
    ["no-peers for nobody", "Us", "no-peers"],
  ] as const)("never shows an end without its reason: %s", async ([_, query, code]) => {
    latest.follow(ann.get(query).call("Nobody.Has.This"));
    const states = await shown();
    expect(states.filter(({ pending, error }) => !pending && !error)).toEqual([]);
    expect(states.at(-1)?.error?.code).toBe(code);
  });

  test("is replaced by the next, which cancels it at the peer as well", async () => {
    const aborted = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    peers[0]?.module("Slow", ({ signal }) => {
      started.resolve();
      signal.addEventListener("abort", () => aborted.resolve());
      return new Promise(() => {});
    });
    peers[0]?.module("Fast", () => "fast");
    const former = latest.follow(ann.get("bob").call("Slow"));
    await started.promise;
    latest.follow(ann.get("bob").call("Fast"));
    await aborted.promise;
    await ended();
    expect(await former.all()).toMatchObject([{ error: { code: "cancelled" } }]);
    expect(latest.state.peek()).toMatchObject({ first: "fast", replies: [{ value: "fast" }] });
  });

  test("that the app cancels keeps what has arrived and shows no error", async () => {
    peers[0]?.module("Ask", () => "here");
    peers[1]?.module("Ask", () => new Promise(() => {}));
    latest.follow(ann.get("*").call("Ask"));
    await vi.waitFor(() => expect(latest.state.peek().first).toBe("here"));
    latest.cancel();
    expect(latest.state.peek()).toMatchObject({ pending: false, first: "here", error: undefined });
    expect(latest.state.peek().replies[1]?.error?.code).toBe("cancelled");
  });

  test("can be cancelled in the moment between its last reply and its error", async () => {
    latest.follow(ann.get("Us").call("Any"));
    expect(latest.state.peek().pending).toBe(true);
    latest.cancel();
    await Promise.resolve();
    expect(latest.state.peek()).toMatchObject({ pending: false, error: undefined });
  });

  test("is forgotten by a reset", async () => {
    const before = latest.state.peek();
    peers[0]?.module("Ask", () => new Promise(() => {}));
    const replies = latest.follow(ann.get("bob").call("Ask"));
    latest.reset();
    expect(await replies.all()).toMatchObject([{ error: { code: "cancelled" } }]);
    expect(latest.state.peek()).toBe(before);
  });
});
