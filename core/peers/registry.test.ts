import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test, vi } from "vitest";
import type { Profile } from "../peer.ts";
import { createRegistry } from "./registry.ts";

const turn = () => Promise.resolve();

describe("the registry", () => {
  test("a subscriber gets the list at once, and its changes once per turn", async () => {
    const registry = createRegistry();
    const listener = vi.fn();
    registry.watch("*").subscribe(listener);
    for (const id of ["p1", "p2", "p3"]) registry.addPeer({ id, name: "Oli" }, "Oli");
    expect(registry.watch("*").peek()).toHaveLength(3);
    expect(listener).toHaveBeenCalledTimes(1);
    await turn();
    expect(listener).toHaveBeenCalledTimes(2);
    expect(listener).toHaveBeenLastCalledWith(registry.all());
  });

  test("a list keeps its identity until its membership changes", () => {
    const registry = createRegistry();
    const list = registry.watch("Oli");
    registry.addUser("Oli");
    registry.addPeer({ id: "p1", name: "Oli" }, "Oli");
    const before = list.peek();
    registry.addPeer({ id: "p1", name: "Oli" }, "Oli");
    registry.addPeer({ id: "p2", name: "Dave" }, "Dave");
    registry.addUser("Oli");
    expect(list.peek()).toBe(before);
    expect(Object.isFrozen(before)).toBe(true);
    registry.removePeer("p1");
    expect(list.peek()).toEqual([]);
  });

  test("a profile changes the object of its peer, in its place, and only the lists with that peer", async () => {
    const registry = createRegistry();
    for (const id of ["p1", "p2"]) registry.addPeer({ id, name: "Oli" }, "Oli");
    registry.addPeer({ id: "p3", name: "Dave" }, "Dave");
    const lists = [registry.watch("*"), registry.watch({ user: "Oli" }), registry.watch({ peer: "p1" })];
    const others = [registry.watch({ user: "Dave" }), registry.watch({ peer: "p2" })];
    const before = [...lists, ...others].map((list) => list.peek());
    const updated = registry.updatePeer("p1", { avatar: "/p1.png" } as Profile);
    expect(updated).toEqual({ id: "p1", name: "Oli", profile: { avatar: "/p1.png" } });
    expect(Object.isFrozen(updated)).toBe(true);
    expect(lists.map((list) => list.peek()[0])).toEqual([updated, updated, updated]);
    expect(registry.all().map(({ id }) => id)).toEqual(["p1", "p2", "p3"]);
    expect(others.map((list) => list.peek())).toEqual(before.slice(3));
    expect(others.every((list, index) => list.peek() === before[index + 3])).toBe(true);
    expect(registry.updatePeer("gone", {})).toBeUndefined();
  });

  test("an arrival rebuilds only the lists that it matches, among ten thousand peers", async () => {
    const registry = createRegistry();
    for (let index = 0; index < 10_000; index++) {
      const name = `user ${index % 100}`;
      registry.addPeer({ id: `p${index}`, name }, name);
    }
    const counts = new Map<string, number>();
    const count = (key: string) => () => counts.set(key, (counts.get(key) ?? 0) + 1);
    for (let user = 0; user < 100; user++) registry.watch({ user: `user ${user}` }).subscribe(count(`user ${user}`));
    registry.watch({ peers: ["new", "p1"] }).subscribe(count("new"));
    counts.clear();
    registry.addPeer({ id: "new", name: "user 7" }, "user 7");
    await turn();
    expect([...counts]).toEqual([
      ["user 7", 1],
      ["new", 1],
    ]);
  });

  test("a string that becomes an alias no longer matches the peer of that id", async () => {
    const registry = createRegistry();
    registry.addPeer({ id: "Oli", name: "Dave" }, "Dave");
    const list = registry.watch("Oli");
    expect(list.peek().map(({ name }) => name)).toEqual(["Dave"]);
    registry.addUser("Oli");
    expect(list.peek()).toEqual([]);
    registry.removeUser("Oli");
    expect(list.peek().map(({ name }) => name)).toEqual(["Dave"]);
  });

  test("equal queries share a list while it has a subscriber, even without references", async () => {
    const registry = createRegistry();
    const listener = vi.fn();
    registry.watch({ peer: "p1" }).subscribe(listener);
    const list = new WeakRef(registry.watch({ peer: "p1" }));
    // A reference that was looked at is held until the task is over.
    await setImmediate();
    await collectGarbage();
    expect(registry.watch({ peer: "p1" })).toBe(list.deref());
    registry.addPeer({ id: "p1", name: "Oli" }, "Oli");
    await turn();
    expect(listener).toHaveBeenLastCalledWith([{ id: "p1", name: "Oli", profile: {} }]);
  });

  test("clear empties every list and notifies its subscribers", async () => {
    const registry = createRegistry();
    registry.addUser("Oli");
    registry.addPeer({ id: "p1", name: "Oli" }, "Oli");
    const listener = vi.fn();
    registry.watch("Oli").subscribe(listener);
    registry.users.subscribe(listener);
    registry.clear();
    await turn();
    expect(listener.mock.calls.slice(-2)).toEqual([[[]], [[]]]);
    expect(registry.byId("p1")).toBeUndefined();
  });

  test("two hundred thousand peers come and go", () => {
    const registry = createRegistry();
    const users = registry.watch("*");
    for (let peer = 0; peer < 200_000; peer++) registry.addPeer({ id: `p${peer}`, name: "Oli" }, "Oli");
    expect(users.peek()).toHaveLength(200_000);
    registry.clear();
    expect(users.peek()).toHaveLength(0);
  });

  test("an error in a listener is reported, and the others are called", async () => {
    const reported = vi.spyOn(console, "error").mockReturnValue(undefined);
    const registry = createRegistry();
    const listener = vi.fn();
    registry.watch("*").subscribe(() => {
      throw new Error("the app's own fault");
    });
    registry.watch("*").subscribe(listener);
    registry.addPeer({ id: "p1", name: "Oli" }, "Oli");
    await turn();
    expect(listener).toHaveBeenCalledTimes(2);
    expect(reported).toHaveBeenCalledTimes(2);
    reported.mockRestore();
  });
});

async function collectGarbage(): Promise<void> {
  await turn();
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}
