import { expect, vi } from "vitest";
import { eventually } from "../../tools/eventually.ts";
import { createCountingClient } from "./counting-client.ts";
import { type Behaviours, type Fixture, nextTurn, noop, texts, waitForTexts } from "./fixture.ts";
import type { Pages } from "./pages.ts";
import { Position } from "./pages.ts";

/** Presence as views show it. */
export const presenceBehaviours: Behaviours = {
  "shows the values of other peers, and follows them": async ({ network, bob, bothSignedIn, signIn, show }) => {
    await bothSignedIn();
    const mine = bob.presence(Position, 1);
    show("others", { query: "*", onCount: noop });
    expect(texts(".others", ".count")).toEqual(["", "0"]);
    await waitForTexts([".others", ".count"], ["bob 1", "1"]);
    mine.set(2);
    await waitForTexts([".others"], ["bob 2"]);
    const cid = network.client("cid");
    await signIn([cid, "cid"]);
    cid.presence(Position, 3);
    await waitForTexts([".others", ".count"], ["bob 2, cid 3", "2"]);
    await cid.disconnect();
    await waitForTexts([".others", ".count"], ["bob 2", "1"]);
  },

  "shows the values of the new query when the query changes": async ({ bob, bothSignedIn, show }) => {
    await bothSignedIn();
    bob.presence(Position, 1);
    const page = show("others", { query: "Us", onCount: noop });
    await waitForTexts([".others", ".count"], ["", "1"]);
    page.update({ query: { user: "bob" }, onCount: noop });
    await waitForTexts([".others"], ["bob 1"]);
  },

  "renders a selection only when it changes": async ({ bob, bothSignedIn, show }) => {
    await bothSignedIn();
    const mine = bob.presence(Position, 1);
    const counts: number[] = [];
    show("others", { query: "*", onCount: (count) => counts.push(count) });
    await waitForTexts([".others"], ["bob 1"]);
    await nextTurn();
    const { length } = counts;
    mine.set(2);
    await waitForTexts([".others"], ["bob 2"]);
    await nextTurn();
    expect(counts).toHaveLength(length);
  },

  "renders one row when the value of its peer changes": async ({ network, bob, bothSignedIn, signIn, show }) => {
    await bothSignedIn();
    const cid = network.client("cid");
    await signIn([cid, "cid"]);
    const mine = bob.presence(Position, 1);
    cid.presence(Position, 2);
    const ids = [bob.getId() ?? "", cid.getId() ?? "", "nobody"];
    const rendered: string[] = [];
    show("otherRows", { ids, onRender: (id) => rendered.push(id) });
    await waitForTexts([".other"], ["1", "2", "undefined"]);
    await nextTurn();
    rendered.length = 0;
    mine.set(3);
    await waitForTexts([".other"], ["3", "2", "undefined"]);
    await nextTurn();
    expect(rendered).toEqual([bob.getId()]);
    await cid.disconnect();
  },

  "shows changes at most once per animation frame": async ({ ann, bob, bothSignedIn, show }) => {
    await bothSignedIn();
    const mine = bob.presence(Position, 1, { interval: 0 });
    const rendered: string[] = [];
    show("otherRows", { ids: [bob.getId() ?? ""], onRender: (id) => rendered.push(id) });
    await waitForTexts([".other"], ["1"]);
    await nextTurn();
    const frames: (() => void)[] = [];
    const request = vi
      .spyOn(globalThis, "requestAnimationFrame")
      .mockImplementation((task) => frames.push(() => task(0)));
    const arrived: unknown[] = [];
    const stop = ann
      .get("bob")
      .presence(Position)
      .subscribe(([one]) => arrived.push(one?.value));
    const before = rendered.length;
    for (let value = 2; value <= 6; value++) {
      mine.set(value);
      await eventually(() => expect(arrived.at(-1)).toBe(value));
    }
    stop();
    expect([frames.length, rendered.length]).toEqual([1, before]);
    request.mockRestore();
    frames[0]?.();
    await waitForTexts([".other"], ["6"]);
    expect(rendered.length).toBe(before + 1);
  },

  "shares one value between components, with the first initial value": async ({ ann, bob, bothSignedIn, show }) => {
    await bothSignedIn();
    const { set } = showOwn(show);
    const seen = bob.get("ann").presence(Position);
    const values: unknown[] = [];
    const stop = seen.subscribe((list) => values.push(list[0]?.value));
    expect(texts(".own")).toEqual(["1", "1"]);
    await eventually(() => expect(values.at(-1)).toBe(1));
    set(5);
    await waitForTexts([".own"], ["5", "5"]);
    await eventually(() => expect(values.at(-1)).toBe(5));
    expect(() => ann.presence(Position, 1)).toThrow("already offered");
    stop();
  },

  "keeps the value when components are replaced, and withdraws it 1 s after the last has unmounted": async ({
    ann,
    show,
  }) => {
    const count = createCountingClient(ann);
    const first = showOwn(show, count.client);
    await eventually(() => expect(count.open).toBe(1));
    first.set(5);
    first.unmount();
    const second = showOwn(show, count.client);
    await waitForTexts([".own"], ["5", "5"]);
    expect(count.open).toBe(1);
    second.unmount();
    const unmounted = performance.now();
    await eventually(() => expect(count.open).toBe(0), { timeout: 5_000 });
    expect(performance.now() - unmounted).toBeGreaterThan(900);
    showOwn(show, count.client);
    expect(texts(".own")).toEqual(["1", "1"]);
  },
};

function showOwn(show: Fixture["show"], client?: NonNullable<Parameters<Fixture["show"]>[2]>["client"]) {
  let latest: ((value: number) => void) | undefined;
  const onReady: Pages["own"]["onReady"] = (set) => {
    latest = set;
  };
  const page = show("own", { initial: 1, onReady }, client && { client });
  return { ...page, set: (value: number) => latest?.(value) };
}
