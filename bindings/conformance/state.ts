import * as v from "valibot";
import { expect } from "vitest";
import type { Peer } from "../../core/index.ts";
import { eventually } from "../../tools/eventually.ts";
import { type Behaviours, nextTurn, noop, texts, waitForTexts } from "./fixture.ts";
import { joinManyPeers } from "./many-peers.ts";

/** Peers and links as a view shows them, and when it renders. */
export const stateBehaviours: Behaviours = {
  "shows the current state at mount": async ({ show, bothSignedIn }) => {
    await bothSignedIn();
    show("presence", { query: "*", onPeers: noop });
    expect(texts(".status", ".self", ".users", ".peers")).toEqual(["online", "ann", "bob", '"*": bob', '"*": bob']);
  },

  "follows changes": async ({ bob, show, bothSignedIn }) => {
    show("presence", { query: "*", onPeers: noop });
    expect(texts(".status", ".self", ".users", ".peers")).toEqual(["offline", "nobody", "", '"*": ', '"*": ']);
    await bothSignedIn();
    await waitForTexts([".status", ".self", ".users", ".peers"], ["online", "ann", "bob", '"*": bob', '"*": bob']);
    await bob.disconnect();
    await waitForTexts([".peers"], ['"*": ', '"*": ']);
  },

  "follows a client that signs out, signs in as another user, and switches to a third": async ({
    network,
    ann,
    bob,
    show,
    signIn,
    bothSignedIn,
  }) => {
    await bothSignedIn();
    const id = bob.getId() ?? "";
    show("presence", { query: "*", onPeers: noop });
    show("rows", { ids: [id], onRender: noop });
    await ann.get("bob").call("Any").all();
    await waitForTexts([".self", ".peers", ".row"], ["ann", '"*": bob', '"*": bob', "bob open"]);
    await ann.disconnect();
    await waitForTexts(
      [".status", ".self", ".users", ".peers", ".row"],
      ["offline", "nobody", "", '"*": ', '"*": ', "undefined idle"],
    );
    for (const username of ["cid", "dee"]) {
      network.client(username);
      await signIn([ann, username]);
      await waitForTexts(
        [".status", ".self", ".peers", ".row"],
        ["online", username, '"*": bob', '"*": bob', "bob idle"],
      );
    }
  },

  "shows the peers of the new query as soon as the query changes": async ({ network, show, signIn, bothSignedIn }) => {
    await bothSignedIn();
    const page = show("presence", { query: "bob", onPeers: noop });
    page.update({ query: "Us", onPeers: noop });
    await waitForTexts([".peers"], ['"Us": ', '"Us": ']);
    const other = network.client("ann");
    await signIn([other, "ann"]);
    await waitForTexts([".peers"], ['"Us": Us', '"Us": Us']);
    await other.disconnect();
  },

  "returns the same list until a peer connects or disconnects, also for an inline query": async ({
    show,
    bothSignedIn,
  }) => {
    await bothSignedIn();
    const lists = new Set<readonly Peer[]>();
    const onPeers = (peers: readonly Peer[]) => lists.add(peers);
    const page = show("presence", { query: { user: "bob" }, onPeers });
    page.update({ query: { user: "bob" }, onPeers });
    await nextTurn();
    expect(lists.size).toBe(1);
  },

  "never renders two states at once": async ({ ann, bob, show, signIn }) => {
    await signIn([ann, "ann"]);
    const page = show("presence", { query: "*", onPeers: noop });
    const torn: (readonly string[])[] = [];
    const observer = new MutationObserver(() => {
      const [one, other] = texts(".peers");
      if (one !== other) torn.push([String(one), String(other)]);
    });
    observer.observe(document.body, { subtree: true, characterData: true, childList: true });
    for (const query of ["*", "bob", "*"]) {
      page.update({ query, onPeers: noop });
      await signIn([bob, "bob"]);
      await waitForTexts([".peers"], Array(2).fill(`"${query}": bob`));
      await bob.disconnect();
      await waitForTexts([".peers"], Array(2).fill(`"${query}": `));
    }
    observer.disconnect();
    expect(torn).toEqual([]);
  },

  "renders one row of a thousand when one of ten thousand links changes": async ({ show }) => {
    const group = await joinManyPeers(10_000);
    const renders = new Map<string, number>();
    const onRender = (id: string) => renders.set(id, (renders.get(id) ?? 0) + 1);
    show("rows", { ids: group.ids.slice(0, 1_000), onRender }, { client: group.client });
    expect(texts(".row")).toEqual(Array(1_000).fill("bob idle"));
    await nextTurn();
    renders.clear();
    group.client.get({ peer: "peer-500" }).call("Any");
    group.client.get({ peer: "peer-5000" }).call("Any");
    group.addPeer("peer-10000");
    await eventually(() => expect(texts(".row")[500]).toBe("bob connecting"));
    await nextTurn();
    expect([...renders]).toEqual([["peer-500", 1]]);
    await group.client.disconnect();
  },

  "renders one row of a thousand when the profile of one of ten thousand peers changes": async ({ show }) => {
    const group = await joinManyPeers(10_000);
    const renders = new Map<string, number>();
    const onRender = (id: string) => renders.set(id, (renders.get(id) ?? 0) + 1);
    show("rows", { ids: group.ids.slice(0, 1_000), onRender }, { client: group.client });
    await nextTurn();
    renders.clear();
    group.setMood("peer-500", "well");
    group.setMood("peer-5000", "tired");
    await eventually(() => expect(texts(".row")[500]).toBe("bob idle WELL"));
    await nextTurn();
    expect([...renders]).toEqual([["peer-500", 1]]);
    await group.client.disconnect();
  },

  "returns a new list when a profile changes, with the same objects for the other peers": async ({ show }) => {
    const group = await joinManyPeers(3);
    const lists: (readonly Peer[])[] = [];
    show("presence", { query: "*", onPeers: (peers) => lists.push(peers) }, { client: group.client });
    await nextTurn();
    const before = lists.at(-1)!;
    group.setMood("peer-1", "well");
    await eventually(() => expect(lists.at(-1)?.[1]?.profile).toEqual({ mood: "well" }));
    const after = lists.at(-1)!;
    expect(after.map((peer, index) => peer === before[index])).toEqual([true, false, true]);
    await group.client.disconnect();
  },

  "shows a hostile profile as an empty one, if the client has a schema": async ({ show }) => {
    const profileSchema = v.object({ mood: v.optional(v.string()) });
    const group = await joinManyPeers(6, { profileSchema });
    const errors: string[] = [];
    group.client.on("error", ({ code }) => errors.push(code));
    show("rows", { ids: group.ids, onRender: noop }, { client: group.client });
    const hostile = [null, 5, { toUpperCase: "x" }, ["well"], JSON.parse('{"__proto__":{}}')];
    for (const [index, mood] of hostile.entries()) group.setMood(`peer-${index}`, mood);
    group.setMood("peer-5", "well");
    await eventually(() => expect(texts(".row")).toEqual([...Array(5).fill("bob idle"), "bob idle WELL"]));
    expect(errors).toHaveLength(5);
    await group.client.disconnect();
  },
};
