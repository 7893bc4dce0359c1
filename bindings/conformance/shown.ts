import { expect } from "vitest";
import type { Peer } from "../../core/index.ts";
import { eventually } from "../../tools/eventually.ts";
import { joinCrowd } from "./crowd.ts";
import { type Behaviours, becomes, ignore, settled, texts } from "./scene.ts";

/** What a view shows of who is there, and when it renders. */
export const shown: Behaviours = {
  "shows what is there when it mounts": async ({ show, bothSignedIn }) => {
    await bothSignedIn();
    show("people", { query: "*", saw: ignore });
    expect(texts(".status", ".self", ".users", ".peers")).toEqual(["online", "ann", "bob", '"*": bob', '"*": bob']);
  },

  "follows what changes": async ({ bob, show, bothSignedIn }) => {
    show("people", { query: "*", saw: ignore });
    expect(texts(".status", ".self", ".users", ".peers")).toEqual(["offline", "nobody", "", '"*": ', '"*": ']);
    await bothSignedIn();
    await becomes([".status", ".self", ".users", ".peers"], ["online", "ann", "bob", '"*": bob', '"*": bob']);
    await bob.disconnect();
    await becomes([".peers"], ['"*": ', '"*": ']);
  },

  "follows a client that signs out, in again as somebody else, and over to a third": async ({
    network,
    ann,
    bob,
    show,
    signIn,
    bothSignedIn,
  }) => {
    await bothSignedIn();
    const id = bob.getId() ?? "";
    show("people", { query: "*", saw: ignore });
    show("rows", { ids: [id], rendered: ignore });
    await ann.get("bob").call("Any").all();
    await becomes([".self", ".peers", ".row"], ["ann", '"*": bob', '"*": bob', "bob open"]);
    await ann.disconnect();
    await becomes(
      [".status", ".self", ".users", ".peers", ".row"],
      ["offline", "nobody", "", '"*": ', '"*": ', "undefined idle"],
    );
    for (const username of ["cid", "dee"]) {
      network.client(username);
      await signIn([ann, username]);
      await becomes([".status", ".self", ".peers", ".row"], ["online", username, '"*": bob', '"*": bob', "bob idle"]);
    }
  },

  "shows the peers of another query as soon as the query is another": async ({
    network,

    show,
    signIn,
    bothSignedIn,
  }) => {
    await bothSignedIn();
    const page = show("people", { query: "bob", saw: ignore });
    page.update({ query: "Us", saw: ignore });
    await becomes([".peers"], ['"Us": ', '"Us": ']);
    const other = network.client("ann");
    await signIn([other, "ann"]);
    await becomes([".peers"], ['"Us": Us', '"Us": Us']);
    await other.disconnect();
  },

  "gives the same list while nobody comes or goes, to a query that is written inline as well": async ({
    show,
    bothSignedIn,
  }) => {
    await bothSignedIn();
    const lists = new Set<readonly Peer[]>();
    const saw = (peers: readonly Peer[]) => lists.add(peers);
    const page = show("people", { query: { user: "bob" }, saw });
    page.update({ query: { user: "bob" }, saw });
    await settled();
    expect(lists.size).toBe(1);
  },

  "never shows two states side by side": async ({ ann, bob, show, signIn }) => {
    await signIn([ann, "ann"]);
    const page = show("people", { query: "*", saw: ignore });
    const torn: (readonly string[])[] = [];
    const observer = new MutationObserver(() => {
      const [one, other] = texts(".peers");
      if (one !== other) torn.push([String(one), String(other)]);
    });
    observer.observe(document.body, { subtree: true, characterData: true, childList: true });
    for (const query of ["*", "bob", "*"]) {
      page.update({ query, saw: ignore });
      await signIn([bob, "bob"]);
      await becomes([".peers"], Array(2).fill(`"${query}": bob`));
      await bob.disconnect();
      await becomes([".peers"], Array(2).fill(`"${query}": `));
    }
    observer.disconnect();
    expect(torn).toEqual([]);
  },

  "renders one row of a thousand when one of ten thousand links changes": async ({ show }) => {
    const crowd = await joinCrowd(10_000);
    const renders = new Map<string, number>();
    const rendered = (id: string) => renders.set(id, (renders.get(id) ?? 0) + 1);
    show("rows", { ids: crowd.ids.slice(0, 1_000), rendered }, { client: crowd.client });
    expect(texts(".row")).toEqual(Array(1_000).fill("bob idle"));
    await settled();
    renders.clear();
    crowd.client.get({ peer: "peer-500" }).call("Any");
    crowd.client.get({ peer: "peer-5000" }).call("Any");
    crowd.arrive("peer-10000");
    await eventually(() => expect(texts(".row")[500]).toBe("bob connecting"));
    await settled();
    expect([...renders]).toEqual([["peer-500", 1]]);
    await crowd.client.disconnect();
  },
};
