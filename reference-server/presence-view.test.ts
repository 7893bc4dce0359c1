import { expect, test } from "vitest";
import { us } from "../core/protocol/alias.ts";
import { fc } from "../tools/property.ts";
import type { Login } from "./cluster/cluster.ts";
import { difference, emptyView, join, leave, type PresenceEvent, type PresenceView } from "./presence-view.ts";

const login = (id: string, group: string, epoch = 1, node = "n"): Login => ({ id, group, node, epoch });

function view(names: Record<string, string>, logins: readonly Login[]): PresenceView {
  return { names: new Map(Object.entries({ me: us, ...names })), peers: new Map(logins.map((one) => [one.id, one])) };
}

/** Applies events to the state of a client; throws for an event that the protocol does not allow. */
function client(start: PresenceView) {
  const users = new Set([...start.names.values()].filter((name) => name !== us));
  const peers = new Map([...start.peers.values()].map(({ id, group }) => [id, start.names.get(group)!]));
  return {
    receive(news: readonly PresenceEvent[]) {
      for (const event of news) {
        // The profiles of these views are the same.
        if (event.type === "peerUpdate") throw new Error(`${event.id} has no other profile`);
        const { type, data } = event;
        if (type === "userAdd") {
          if (users.has(data)) throw new Error(`${data} was added twice`);
          users.add(data);
        } else if (type === "userRemove") {
          if ([...peers.values()].includes(data)) throw new Error(`${data} was removed before their peers`);
          if (!users.delete(data)) throw new Error(`${data} was not there`);
        } else if (type === "peerConnect") {
          if (data.name !== us && !users.has(data.name)) throw new Error(`a peer came before its user ${data.name}`);
          if (peers.has(data.id)) throw new Error(`${data.id} came twice`);
          peers.set(data.id, data.name);
        } else if (!peers.delete(data)) {
          throw new Error(`${data} was not there`);
        }
      }
    },
    sees: () => ({ users: [...users].toSorted(), peers: [...peers].toSorted() }),
  };
}

const people = fc.constantFrom("ann", "bob", "cat", "dan");
const anyView = fc
  .record({
    names: fc.dictionary(people, fc.constantFrom("A", "B", "C", "D", "__proto__"), { noNullPrototype: true }),
    logins: fc.array(fc.tuple(fc.constantFrom("1", "2", "3", "4", "5", "6"), fc.oneof(people, fc.constant("me")))),
  })
  .map(({ names, logins }) => {
    // Names are unique for each owner.
    const unique = Object.fromEntries(Object.entries(names).map(([user, name]) => [user, `${name} ${user}`]));
    const visible = logins.filter(([, user]) => user === "me" || user in unique);
    return view(
      unique,
      visible.map(([id, user]) => login(id, user)),
    );
  });

test("the difference between any two views brings a client from one to the other, in the specified order", () => {
  fc.assert(
    fc.property(anyView, anyView, (before, after) => {
      // A peer id never changes its group.
      for (const [id, { group }] of after.peers)
        if ((before.peers.get(id)?.group ?? group) !== group) after.peers.delete(id);
      const told = client(before);
      told.receive(difference(before, after));
      expect(told.sees()).toEqual(client(after).sees());
    }),
  );
});

test("equal views produce no events", () => {
  fc.assert(
    fc.property(anyView, (same) => {
      expect(difference(same, same)).toEqual([]);
    }),
  );
});

test("a peer that moves to another node, or back, is not announced", () => {
  const before = view({ ann: "A" }, [login("1", "ann", 1, "n1")]);
  const after = view({ ann: "A" }, [login("1", "ann", 2, "n2")]);
  expect(difference(before, after)).toEqual([]);
  expect(join(before, login("1", "ann", 2, "n2"))).toEqual([]);
  expect(before.peers.get("1")?.node).toBe("n2");
});

test("peers of untrusted users leave, missing peers are lost", () => {
  const before = view({ ann: "A", bob: "B" }, [login("1", "ann"), login("2", "bob")]);
  expect(difference(before, view({ bob: "B" }, []))).toEqual([
    { type: "peerDisconnect", data: "1" },
    { type: "userRemove", data: "A" },
    { type: "peerDisconnect", data: "2", lost: true },
  ]);
});

test("an outdated message changes nothing", () => {
  const now = view({ ann: "A" }, [login("1", "ann", 5)]);
  expect(join(now, login("1", "ann", 4, "old"))).toEqual([]);
  expect(leave(now, login("1", "ann", 4), true)).toEqual([]);
  expect(now.peers.get("1")).toEqual(login("1", "ann", 5));
  expect(leave(now, login("1", "ann", 5), true)).toEqual([{ type: "peerDisconnect", data: "1", lost: true }]);
  expect(leave(now, login("1", "ann", 5), true)).toEqual([]);
});

test("peers of untrusted users are never announced", () => {
  const now = emptyView();
  expect(join(now, login("1", "eve"))).toEqual([]);
  expect(now.peers.size).toBe(0);
});

test("a profile updates its peer, also with a takeover; an older one changes nothing", () => {
  const said = (profile: string | undefined, revision: number, epoch = 1): Login => ({
    ...login("1", "ann", epoch),
    ...{ profile, revision },
  });
  const shown = view({ ann: "A" }, [said(undefined, 0)]);
  const updated = (profile: string) => [{ type: "peerUpdate", id: "1", profile }];
  expect(join(shown, said('{"n":2}', 2))).toEqual(updated('{"n":2}'));
  expect([...join(shown, said('{"n":1}', 1)), ...join(shown, said('{"n":2}', 2))]).toEqual([]);
  expect(join(shown, said('{"n":2}', 0, 2))).toEqual([]);
  expect(join(shown, said('{"n":3}', 0, 3))).toEqual(updated('{"n":3}'));
  expect(join(shown, said(undefined, 1, 3))).toEqual(updated("{}"));
  expect(difference(shown, view({ ann: "A" }, [said('{"n":4}', 2, 3)]))).toEqual(updated('{"n":4}'));
  expect(join(emptyView(), said('{"n":1}', 1))).toEqual([]);
  expect(join(view({ ann: "A" }, []), said('{"n":1}', 1))).toEqual([
    { type: "peerConnect", data: { name: "A", id: "1", profile: { n: 1 } } },
  ]);
});
