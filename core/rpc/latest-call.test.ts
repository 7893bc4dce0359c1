import { beforeEach, describe, expect, test, vi } from "vitest";
import { eventually } from "../../tools/eventually.ts";
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
  await eventually(() => expect(ann.peers.peek()).toHaveLength(2));
  latest = createLatestCall();
});

const ended = () => eventually(() => expect(latest.state.peek().pending).toBe(false));

/** Everything that a view is shown until the call has ended. */
async function shown(): Promise<readonly CallState<unknown>[]> {
  const states: CallState<unknown>[] = [];
  const stop = latest.state.subscribe((state) => states.push(state));
  await ended();
  stop();
  return states;
}

describe("a latest call", () => {
  test("shows no call at first", () => {
    expect(latest.state.peek()).toEqual({
      replies: [],
      pending: false,
      first: undefined,
      progress: { targets: 0, replied: 0, sent: 0, total: undefined },
      error: undefined,
    });
  });

  test("shows replies as they arrive, and the first value", async () => {
    for (const peer of peers) peer.module("Name", () => peer.self.peek()?.username);
    latest.call(ann.get("*"), "Name");
    const states = await shown();
    expect(states.map(({ progress }) => progress.replied)).toEqual([0, 1, 2]);
    expect(states.map(({ pending }) => pending)).toEqual([true, true, false]);
    expect(states.at(-1)?.first).toBe(states.at(-1)?.replies[0]?.value);
    expect(states.at(-1)?.error).toBeUndefined();
  });

  test("ends with a value where one of several peers fails", async () => {
    peers[0]?.module("Name", () => "bob");
    latest.call(ann.get("*"), "Name");
    await ended();
    expect(latest.state.peek()).toMatchObject({ first: "bob", error: undefined, progress: { targets: 2, replied: 2 } });
  });

  test.for([
    ["the only peer's own error", "bob", "unknown-module"],
    ["all-failed for several", "*", "all-failed"],
    ["no-peers for nobody", "Us", "no-peers"],
  ] as const)("never shows an end without its reason: %s", async ([_, query, code]) => {
    latest.call(ann.get(query), "Nobody.Has.This");
    const states = await shown();
    expect(states.filter(({ pending, error }) => !pending && !error)).toEqual([]);
    expect(states.at(-1)?.error?.code).toBe(code);
  });

  test("is replaced by the next one, which cancels it at the peer as well", async () => {
    const aborted = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    peers[0]?.module("Slow", ({ signal }) => {
      started.resolve();
      signal.addEventListener("abort", () => aborted.resolve());
      return new Promise(() => {});
    });
    peers[0]?.module("Fast", () => "fast");
    const former = latest.call(ann.get("bob"), "Slow");
    await started.promise;
    latest.call(ann.get("bob"), "Fast");
    await aborted.promise;
    await ended();
    expect(await former.all()).toMatchObject([{ error: { code: "cancelled" } }]);
    expect(latest.state.peek()).toMatchObject({ first: "fast", replies: [{ value: "fast" }] });
  });

  test("that the app cancels keeps its replies and shows no error", async () => {
    peers[0]?.module("Ask", () => "here");
    peers[1]?.module("Ask", () => new Promise(() => {}));
    latest.call(ann.get("*"), "Ask");
    await eventually(() => expect(latest.state.peek().first).toBe("here"));
    latest.cancel();
    expect(latest.state.peek()).toMatchObject({ pending: false, first: "here", error: undefined });
    expect(latest.state.peek().replies[1]?.error?.code).toBe("cancelled");
  });

  test("can be cancelled between its last reply and its error", async () => {
    latest.call(ann.get("Us"), "Any");
    expect(latest.state.peek().pending).toBe(true);
    latest.cancel();
    await Promise.resolve();
    expect(latest.state.peek()).toMatchObject({ pending: false, error: undefined });
  });

  test("is removed by a reset", async () => {
    const before = latest.state.peek();
    peers[0]?.module("Ask", () => new Promise(() => {}));
    const replies = latest.call(ann.get("bob"), "Ask");
    latest.reset();
    expect(await replies.all()).toMatchObject([{ error: { code: "cancelled" } }]);
    expect(latest.state.peek()).toBe(before);
  });

  test("shows how much of a file all peers together have read, and calls the app's own listener", async () => {
    for (const peer of peers) peer.module("Put", async ({ request }) => (await request.file.blob()).size.toString());
    const onProgress = vi.fn();
    latest.call(ann.get("*"), "Put", { file: new Blob([new Uint8Array(200_000)]) }, { onProgress });
    const states = await shown();
    expect(states.at(-1)?.progress).toEqual({ targets: 2, replied: 2, sent: 400_000, total: 400_000 });
    const sent = states.map(({ progress }) => progress.sent);
    expect(sent).toEqual(sent.toSorted((a, b) => a - b));
    expect(new Set(sent).size).toBeGreaterThan(2);
    expect(onProgress).toHaveBeenCalledWith(expect.objectContaining({ sent: 200_000, total: 200_000 }));
  });

  test("shows its progress even if the app's own listener throws, and reports that error", async () => {
    for (const peer of peers) peer.module("Put", async ({ request }) => (await request.file.blob()).size);
    const reported = vi.spyOn(console, "error").mockReturnValue(undefined);
    const fault = new Error("the app's own fault");
    const onProgress = () => {
      throw fault;
    };
    await latest.call(ann.get("*"), "Put", { file: new Blob([new Uint8Array(200_000)]) }, { onProgress }).all();
    expect(latest.state.peek().progress).toMatchObject({ sent: 400_000, total: 400_000 });
    expect(reported).toHaveBeenCalledWith(fault);
    reported.mockRestore();
  });

  test("cancels the stream of its reply when the view cancels it", async () => {
    peers[0]?.module("Ticks", async function* ({ signal }) {
      for (let tick = 0; !signal.aborted; tick++) yield tick;
    });
    const ticks = await latest.call(ann.get("bob"), "Ticks").first();
    const read = async () => {
      for await (const tick of ticks) if (tick === 3) latest.cancel();
    };
    await expect(read()).rejects.toMatchObject({ code: "cancelled" });
  });

  test("ends when the signal of its options aborts", async () => {
    peers[0]?.module("Ask", () => new Promise(() => {}));
    const own = new AbortController();
    latest.call(ann.get("bob"), "Ask", undefined, { signal: own.signal });
    own.abort();
    await ended();
    expect(latest.state.peek().error?.code).toBe("cancelled");
  });
});
