import { expect, test, vi } from "vitest";
import { eventually } from "../../tools/eventually.ts";
import type { Profile } from "../peer.ts";
import { visitEach } from "./each.ts";
import { createRegistry } from "./registry.ts";

const turn = () => Promise.resolve();

test("visits present and later peers, and aborts when one leaves", async () => {
  const registry = createRegistry();
  registry.addPeer({ id: "p1", name: "Oli" }, "Oli");
  const signals = new Map<string, AbortSignal>();
  visitEach(registry.watch("*"), ({ id }, signal) => signals.set(id, signal));
  registry.addPeer({ id: "p2", name: "Oli" }, "Oli");
  await turn();
  expect([...signals.keys()]).toEqual(["p1", "p2"]);
  registry.removePeer("p1");
  await turn();
  expect([...signals.values()].map(({ aborted }) => aborted)).toEqual([true, false]);
});

test("a peer that leaves and returns is visited again", async () => {
  const registry = createRegistry();
  registry.addPeer({ id: "p1", name: "Oli" }, "Oli");
  const visit = vi.fn();
  visitEach(registry.watch("*"), visit);
  registry.removePeer("p1");
  registry.addPeer({ id: "p1", name: "Oli" }, "Oli");
  await turn();
  expect(visit).toHaveBeenCalledTimes(2);
});

test("a peer that matches again is visited again", async () => {
  const registry = createRegistry();
  registry.addPeer({ id: "Oli", name: "Dave" }, "Dave");
  const visit = vi.fn();
  visitEach(registry.watch("Oli"), visit);
  registry.addUser("Oli");
  await turn();
  registry.removeUser("Oli");
  await turn();
  expect(visit).toHaveBeenCalledTimes(2);
});

test("a visit goes on when the profile of its peer changes, and ends when the peer leaves", async () => {
  const registry = createRegistry();
  registry.addPeer({ id: "p1", name: "Oli" }, "Oli");
  const signals: AbortSignal[] = [];
  const visit = vi.fn((_, signal) => signals.push(signal));
  visitEach(registry.watch("*"), visit);
  for (let version = 0; version < 3; version++) {
    registry.updatePeer("p1", { version } as Profile);
    await turn();
  }
  expect([visit.mock.calls.length, signals[0]?.aborted]).toEqual([1, false]);
  registry.removePeer("p1");
  await turn();
  expect([visit.mock.calls.length, signals[0]?.aborted]).toEqual([1, true]);
});

test("the undo aborts every visit and stops further ones", async () => {
  const registry = createRegistry();
  registry.addPeer({ id: "p1", name: "Oli" }, "Oli");
  const signals: AbortSignal[] = [];
  const stop = visitEach(registry.watch("*"), (_, signal) => signals.push(signal));
  stop();
  registry.addPeer({ id: "p2", name: "Oli" }, "Oli");
  await turn();
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
});

test("a visit may undo the visits", async () => {
  const registry = createRegistry();
  const visited: string[] = [];
  const stop = visitEach(registry.watch("*"), ({ id }) => {
    visited.push(id);
    stop();
  });
  for (const id of ["p1", "p2"]) registry.addPeer({ id, name: "Oli" }, "Oli");
  await turn();
  expect(visited).toEqual(["p1"]);
});

test("an error of a visit is reported, unless its peer has left", async () => {
  const reported = vi.spyOn(console, "error").mockReturnValue(undefined);
  const registry = createRegistry();
  registry.addPeer({ id: "p1", name: "Oli" }, "Oli");
  visitEach(registry.watch("*"), async (_, signal) => {
    await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  });
  registry.removePeer("p1");
  await turn();
  await turn();
  expect(reported).not.toHaveBeenCalled();
  visitEach(registry.watch({ peer: "p2" }), async () => {
    throw new Error("the app's own fault");
  });
  registry.addPeer({ id: "p2", name: "Oli" }, "Oli");
  await eventually(() => expect(reported).toHaveBeenCalledTimes(1));
  reported.mockRestore();
});
