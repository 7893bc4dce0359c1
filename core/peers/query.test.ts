import { describe, expect, test } from "vitest";
import { fc } from "../../tools/property.ts";
import { freezeQuery, keyOf, matches, type Query, resolve, resolveTargets } from "./query.ts";
import { createRegistry, type Registry } from "./registry.ts";

function registryOf(users: Readonly<Record<string, readonly string[]>>): Registry {
  const registry = createRegistry();
  for (const [name, ids] of Object.entries(users)) {
    if (name !== "Us") registry.addUser(name);
    for (const id of ids) registry.addPeer({ id, name }, name);
  }
  return registry;
}

describe("a query", () => {
  const registry = registryOf({ Us: ["u1"], Oli: ["p1", "p2"], Dave: ["Oli", "d1"], Eve: [] });

  test.each<[Query, string[]]>([
    ["*", ["u1", "p1", "p2", "Oli", "d1"]],
    ["Us", ["u1"]],
    ["Dave", ["Oli", "d1"]],
    ["Eve", []],
    ["d1", ["d1"]],
    ["nobody", []],
    [{ user: "Oli" }, ["p1", "p2"]],
    [{ user: "Us" }, ["u1"]],
    [{ user: "*" }, []],
    [{ peer: "Oli" }, ["Oli"]],
    [{ peer: "*" }, []],
    [{ peers: ["p2", "u1", "p2", "nobody"] }, ["p2", "u1"]],
    [{ peers: [] }, []],
    [freezeQuery({ user: undefined, peer: "d1" } as Query), ["d1"]],
    [freezeQuery({ peer: undefined, user: "Oli" } as Query), ["p1", "p2"]],
  ])("%j names %j", (query, ids) => {
    expect(resolve(query, registry).map(({ id }) => id)).toEqual(ids);
  });

  test("an alias wins over a peer id of the same spelling", () => {
    expect(resolve("Oli", registry)).toEqual([
      { name: "Oli", id: "p1", profile: {} },
      { name: "Oli", id: "p2", profile: {} },
    ]);
  });

  test("an unknown peer id resolves to a peer without a name, an absent user to nobody", () => {
    expect(resolveTargets("gone", registry)).toEqual([{ id: "gone", name: "", profile: {} }]);
    expect(resolveTargets({ peers: ["gone", "p1"] }, registry).map(({ name }) => name)).toEqual(["", "Oli"]);
    expect(resolveTargets("Eve", registry)).toEqual([]);
    expect(resolveTargets({ user: "gone" }, registry)).toEqual([]);
  });

  test.each(["__proto__", "constructor", "toString"])("%s is a name like any other", (name) => {
    expect(resolve(name, registry)).toEqual([]);
    expect(resolve(name, registryOf({ [name]: ["p1"] }))).toEqual([{ id: "p1", name, profile: {} }]);
  });

  test("matches exactly the peers that it resolves to", () => {
    const word = fc.constantFrom("*", "Us", "Oli", "Dave", "p1", "u1", "nobody");
    const query = fc.oneof(
      word,
      word.map((user) => ({ user })),
      word.map((peer) => ({ peer })),
      fc.array(word).map((peers) => ({ peers })),
    );
    fc.assert(
      fc.property(query, (asked) => {
        const named = registry.all().filter((peer) => matches(asked, peer.id, registry));
        expect(new Set(named)).toEqual(new Set(resolve(asked, registry)));
      }),
    );
  });

  test("has the same key as an equal query", () => {
    expect(keyOf({ peer: "a" })).toBe(keyOf({ peers: ["a", "a"] }));
    const keys = ["a", { user: "a" }, { peer: "a" }, { peers: ["a", "b"] }, { peers: ["a,b"] }].map(keyOf);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
