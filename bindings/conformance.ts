import { serverPages } from "virtual:server-pages";
import { afterEach, beforeEach, describe, expect, type TestContext, test, vi } from "vitest";
import type { Client, Peer, Trust } from "../core/index.ts";
import { createNetwork, type Network } from "../core/testing/network.ts";
import { counted } from "./conformance/counted.ts";
import { joinCrowd } from "./conformance/crowd.ts";
import { Ask, type Made, type Pages } from "./conformance/pages.ts";

/** The same pages, written in one framework. */
export interface Framework {
  readonly name: string;
  /** Whose server rendered the page that it hydrates. */
  readonly serverPage: keyof typeof serverPages;
  /** Shows a page in `host`, or adopts the server's that is there. Effects have run when it returns, unless it hydrates. */
  mount<Name extends keyof Pages>(name: Name, props: Pages[Name], setting: Setting): Mounted<Pages[Name]>;
}

/** Where a page is shown. */
export interface Setting {
  readonly client: Client;
  readonly host: HTMLElement;
  readonly hydrate?: boolean | undefined;
}

/** A page that is shown. */
export interface Mounted<Props> {
  update(props: Props): void;
  unmount(): void;
}

declare module "vitest" {
  interface TaskMeta {
    /** Whose behaviour this test is about. */
    binding?: string;
  }
}

const ignore = () => {};

/** What every binding does, whatever its framework. Skips carry their reason. */
export function conforms(framework: Framework, skips: Readonly<Record<string, string>> = {}): void {
  let network: Network;
  let ann: Client;
  let bob: Client;
  let shown: { unmount(): void }[];

  beforeEach(async () => {
    network = createNetwork();
    [ann, bob] = [network.client("ann"), network.client("bob")];
    shown = [];
    vi.spyOn(console, "error").mockImplementation(ignore);
    vi.spyOn(console, "warn").mockImplementation(ignore);
  });

  afterEach(async () => {
    for (const page of shown) page.unmount();
    document.body.replaceChildren();
    await Promise.all([ann.disconnect(), bob.disconnect()]);
    expect(vi.mocked(console.error).mock.calls).toEqual([]);
    expect(vi.mocked(console.warn).mock.calls).toEqual([]);
    vi.restoreAllMocks();
  });

  function behaviour(title: string, run: () => Promise<void>, timeout = 5_000): void {
    test(title, { timeout }, async ({ task, skip }: TestContext) => {
      task.meta.binding = framework.name;
      if (skips[title] !== undefined) skip(skips[title]);
      await run();
    });
  }

  function show<Name extends keyof Pages>(name: Name, props: Pages[Name], client: Client = ann): Mounted<Pages[Name]> {
    const host = document.body.appendChild(document.createElement("div"));
    const page = framework.mount(name, props, { client, host });
    shown.push(page);
    return page;
  }

  async function signIn(...clients: readonly (readonly [client: Client, username: string])[]): Promise<void> {
    for (const [client, username] of clients) await client.connect("test", username, "");
  }

  async function bothSignedIn(): Promise<void> {
    await signIn([bob, "bob"], [ann, "ann"]);
  }

  function answering(answer: () => string | Promise<string>, client: Client = bob): void {
    client.module(Ask, answer);
  }

  function showCaller(query: Pages["caller"]["query"] = "*"): Made & Mounted<Pages["caller"]> {
    let latest: Made | undefined;
    const made = (now: Made) => {
      latest = now;
    };
    return {
      ...show("caller", { query, made }),
      ...(latest as Made),
      call: (request) => (latest as Made).call(request),
    };
  }

  describe(`the ${framework.name} binding`, () => {
    behaviour("shows what is there when it mounts", async () => {
      await bothSignedIn();
      show("people", { query: "*", saw: ignore });
      expect(texts(".status", ".self", ".users", ".peers")).toEqual(["online", "ann", "bob", '"*": bob', '"*": bob']);
    });

    behaviour("follows what changes", async () => {
      show("people", { query: "*", saw: ignore });
      expect(texts(".status", ".self", ".users", ".peers")).toEqual(["offline", "nobody", "", '"*": ', '"*": ']);
      await bothSignedIn();
      await becomes([".status", ".self", ".users", ".peers"], ["online", "ann", "bob", '"*": bob', '"*": bob']);
      await bob.disconnect();
      await becomes([".peers"], ['"*": ', '"*": ']);
    });

    behaviour("follows a client that signs out, in again as somebody else, and over to a third", async () => {
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
    });

    behaviour("shows the peers of another query as soon as the query is another", async () => {
      await bothSignedIn();
      const page = show("people", { query: "bob", saw: ignore });
      page.update({ query: "Us", saw: ignore });
      await becomes([".peers"], ['"Us": ', '"Us": ']);
      const other = network.client("ann");
      await signIn([other, "ann"]);
      await becomes([".peers"], ['"Us": Us', '"Us": Us']);
      await other.disconnect();
    });

    behaviour("gives the same list while nobody comes or goes, to a query that is written inline as well", async () => {
      await bothSignedIn();
      const lists = new Set<readonly Peer[]>();
      const saw = (peers: readonly Peer[]) => lists.add(peers);
      const page = show("people", { query: { user: "bob" }, saw });
      page.update({ query: { user: "bob" }, saw });
      await settled();
      expect(lists.size).toBe(1);
    });

    behaviour("never shows two states side by side", async () => {
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
    });

    behaviour("lets go of everything when it unmounts", async () => {
      const count = counted(ann);
      const pages = [
        show("people", { query: "*", saw: ignore }, count.client),
        show("offer", { answer: "", heard: ignore }, count.client),
        show("rows", { ids: ["a", "b"], rendered: ignore }, count.client),
      ];
      await vi.waitFor(() => expect(count.open).toBeGreaterThanOrEqual(8));
      for (const page of pages) page.unmount();
      shown = [];
      await vi.waitFor(() => expect(count.open).toBe(0));
    });

    behaviour(
      "leaves nothing behind after a thousand mounts",
      async () => {
        const count = counted(ann);
        const host = document.createElement("div");
        const once = <Name extends keyof Pages>(name: Name, props: Pages[Name]) =>
          framework.mount(name, props, { client: count.client, host }).unmount();
        for (let round = 0; round < 250; round++) {
          once("people", { query: { peer: `peer-${round}` }, saw: ignore });
          once("offer", { answer: "", heard: ignore });
          once("caller", { query: "*", made: ignore });
          once("trust", { made: ignore });
        }
        await vi.waitFor(() => expect(count.open).toBe(0));
        expect(count.offers).toBe(250);
        expect(host.childElementCount).toBe(0);
      },
      30_000,
    );

    behaviour("renders one row of a thousand when one of ten thousand links changes", async () => {
      const crowd = await joinCrowd(10_000);
      const renders = new Map<string, number>();
      const rendered = (id: string) => renders.set(id, (renders.get(id) ?? 0) + 1);
      show("rows", { ids: crowd.ids.slice(0, 1_000), rendered }, crowd.client);
      expect(texts(".row")).toEqual(Array(1_000).fill("bob idle"));
      await settled();
      renders.clear();
      crowd.client.get({ peer: "peer-500" }).call("Any");
      crowd.client.get({ peer: "peer-5000" }).call("Any");
      crowd.arrive("peer-10000");
      await vi.waitFor(() => expect(texts(".row")[500]).toBe("bob connecting"));
      await settled();
      expect([...renders]).toEqual([["peer-500", 1]]);
      await crowd.client.disconnect();
    });

    behaviour("shows a call from its start to its last reply", async () => {
      const cid = network.client("cid");
      await signIn([cid, "cid"]);
      await bothSignedIn();
      const slow = Promise.withResolvers<string>();
      answering(() => "fast");
      answering(() => slow.promise, cid);
      const { call } = showCaller();
      expect(texts(".call")).toEqual(["still 0/0"]);
      const replies = call("Anybody?");
      await becomes([".call"], ["pending 1/2 fast"]);
      slow.resolve("slow");
      await becomes([".call"], ["still 2/2 fast"]);
      expect(await replies.all()).toMatchObject([{ value: "fast" }, { value: "slow" }]);
      await cid.disconnect();
    });

    behaviour("shows why a call brought no value, until a reset", async () => {
      await bothSignedIn();
      const { call, reset } = showCaller("bob");
      call("Anybody?");
      await becomes([".call"], ["still 1/1 unknown-module"]);
      reset();
      await becomes([".call"], ["still 0/0"]);
    });

    behaviour("asks whom the query names when the call is made", async () => {
      await bothSignedIn();
      answering(() => "bob");
      const made = (now: Made) => {
        latest = now;
      };
      let latest: Made | undefined;
      const page = show("caller", { query: "Us", made });
      page.update({ query: "bob", made });
      await settled();
      latest?.call("Who?");
      await becomes([".call"], ["still 1/1 bob"]);
    });

    behaviour("cancels the call before when it makes another", async () => {
      await bothSignedIn();
      const answers = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
      const signals: AbortSignal[] = [];
      bob.module(Ask, ({ request, signal }) => {
        signals.push(signal);
        return answers[Number(request)]?.promise ?? "";
      });
      const { call } = showCaller("bob");
      const before = call("0");
      await vi.waitFor(() => expect(signals).toHaveLength(1));
      call("1");
      expect(await before.all()).toMatchObject([{ error: { code: "cancelled" } }]);
      await vi.waitFor(() => expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]));
      answers[0]?.resolve("too late");
      answers[1]?.resolve("in time");
      await becomes([".call"], ["still 1/1 in time"]);
    });

    behaviour("cancels a call, at the peer as well, when it unmounts", async () => {
      await bothSignedIn();
      const started = Promise.withResolvers<AbortSignal>();
      bob.module(Ask, ({ signal }) => {
        started.resolve(signal);
        return new Promise(ignore);
      });
      const page = showCaller("bob");
      const replies = page.call("Still there?");
      const signal = await started.promise;
      page.unmount();
      shown = [];
      expect(await replies.all()).toMatchObject([{ error: { code: "cancelled" } }]);
      await vi.waitFor(() => expect(signal.aborted).toBe(true));
    });

    behaviour("answers as it was last rendered, and registers a module once", async () => {
      await bothSignedIn();
      const count = counted(bob);
      const page = show("offer", { answer: "first", heard: ignore }, count.client);
      await settled();
      expect(await ann.get("bob").call(Ask, "").first()).toBe("first");
      page.update({ answer: "second", heard: ignore });
      await settled();
      expect(await ann.get("bob").call(Ask, "").first()).toBe("second");
      expect(count.offers).toBe(1);
      page.unmount();
      shown = [];
      await expect(ann.get("bob").call(Ask, "").first()).rejects.toMatchObject({ code: "unknown-module" });
    });

    behaviour("lets those call a module whom it names now, and nobody else", async () => {
      await bothSignedIn();
      const page = show("offer", { answer: "here", heard: ignore, allow: "bob" }, ann);
      await settled();
      const ask = () => bob.get("ann").call(Ask, "").first();
      expect(await ask()).toBe("here");
      page.update({ answer: "here", heard: ignore, allow: "Us" });
      await settled();
      await expect(ask()).rejects.toMatchObject({ code: "forbidden" });
      page.update({ answer: "here", heard: ignore, allow: { user: "bob" } });
      await settled();
      expect(await ask()).toBe("here");
    });

    behaviour("hears events as it was last rendered, until it unmounts", async () => {
      await signIn([ann, "ann"]);
      const told: string[] = [];
      const heard = (answer: string, peer: Peer) => told.push(`${answer} ${peer.name}`);
      const page = show("offer", { answer: "first", heard });
      await settled();
      await signIn([bob, "bob"]);
      await vi.waitFor(() => expect(told).toEqual(["first bob"]));
      page.update({ answer: "second", heard });
      await settled();
      await bob.disconnect();
      await signIn([bob, "bob"]);
      await vi.waitFor(() => expect(told).toEqual(["first bob", "second bob"]));
      page.unmount();
      shown = [];
      await bob.disconnect();
      await signIn([bob, "bob"]);
      await vi.waitFor(() => expect(ann.peers.peek()).toHaveLength(1));
      expect(told).toHaveLength(2);
    });

    behaviour("shows requests about trust, and why one failed, which whoever made it need not handle", async () => {
      await signIn([ann, "ann"]);
      let claim: Trust["claimToken"] | undefined;
      const made = (now: Trust["claimToken"]) => {
        claim = now;
      };
      show("trust", { made });
      expect(texts(".trust")).toEqual(["still"]);
      const claimed = claim?.("Cid", "no such token");
      await becomes([".trust"], ["pending"]);
      expect(await claimed).toBe(false);
      await becomes([".trust"], ["token-invalid"]);
    });

    behaviour("renders on a server, where it subscribes to nothing and offers nothing", async () => {
      const { html, open, offers } = serverPages[framework.serverPage];
      expect(html).toContain("offline");
      expect({ open, offers }).toEqual({ open: 0, offers: 0 });
    });

    behaviour("takes over a server's page without a warning, and follows from then on", async () => {
      const status = hydrate();
      expect(status?.textContent).toBe("offline");
      await signIn([ann, "ann"]);
      await becomes([".status", ".self"], ["online", "ann"]);
      expect(document.querySelector(".status")).toBe(status);
    });

    behaviour("takes over a server's page without a warning when it is online already", async () => {
      await bothSignedIn();
      const status = hydrate();
      await becomes([".status", ".self", ".peers"], ["online", "ann", '"*": bob', '"*": bob']);
      expect(document.querySelector(".status")).toBe(status);
    });
  });

  /** Takes over the server's page, and gives an element of it as it was before. */
  function hydrate(): Element | null {
    const host = document.body.appendChild(document.createElement("div"));
    host.innerHTML = serverPages[framework.serverPage].html;
    const status = host.querySelector(".status");
    shown.push(framework.mount("people", { query: "*", saw: ignore }, { client: ann, host, hydrate: true }));
    return status;
  }
}

/** What the page shows, selector by selector. */
function texts(...selectors: readonly string[]): readonly (string | null)[] {
  return selectors.flatMap((selector) =>
    [...document.querySelectorAll(selector)].map((element) => element.textContent),
  );
}

/** Resolves once the page shows that. */
async function becomes(selectors: readonly string[], expected: readonly string[]): Promise<void> {
  await vi.waitFor(() => expect(texts(...selectors)).toEqual(expected), { interval: 1 });
}

/** Resolves when the framework has done what was to be done in this turn and the next. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setTimeout(resolve));
}
