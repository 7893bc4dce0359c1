import { expect } from "vitest";
import type { Query } from "../../core/index.ts";
import { eventually } from "../../tools/eventually.ts";
import { type Behaviours, type Fixture, nextTurn, noop, texts, waitForTexts } from "./fixture.ts";
import type { Mounted } from "./framework.ts";
import { Ask, type CallControls, Count, type Pages, type TrustRequests } from "./pages.ts";

/** Calls and trust requests as a view shows them. */
export const callBehaviours: Behaviours = {
  "shows a call from its start to its last reply": async ({ network, bob, signIn, bothSignedIn, show }) => {
    const cid = network.client("cid");
    await signIn([cid, "cid"]);
    await bothSignedIn();
    const slow = Promise.withResolvers<string>();
    bob.module(Ask, () => "fast");
    cid.module(Ask, () => slow.promise);
    const { call } = showCaller(show);
    expect(texts(".call")).toEqual(["idle 0/0"]);
    const replies = call("Anybody?");
    await waitForTexts([".call"], ["pending 1/2 fast"]);
    slow.resolve("slow");
    await waitForTexts([".call"], ["idle 2/2 fast"]);
    expect(await replies.all()).toMatchObject([{ value: "fast" }, { value: "slow" }]);
    await cid.disconnect();
  },

  "shows why a call returned no value, until it is reset": async ({ bothSignedIn, show }) => {
    await bothSignedIn();
    const { call, reset } = showCaller(show, "bob");
    call("Anybody?");
    await waitForTexts([".call"], ["idle 1/1 unknown-module"]);
    reset();
    await waitForTexts([".call"], ["idle 0/0"]);
  },

  "calls the peers that the query matches at the time of the call": async ({ bob, show, bothSignedIn }) => {
    await bothSignedIn();
    bob.module(Ask, () => "bob");
    let latest: CallControls | undefined;
    const onReady = (controls: CallControls) => {
      latest = controls;
    };
    const page = show("caller", { query: "Us", onReady });
    page.update({ query: "bob", onReady });
    await nextTurn();
    latest?.call("Who?");
    await waitForTexts([".call"], ["idle 1/1 bob"]);
  },

  "keeps a running call when the query changes": async ({ bob, show, bothSignedIn }) => {
    await bothSignedIn();
    const answer = Promise.withResolvers<string>();
    bob.module(Ask, () => answer.promise);
    const onReady = ({ call }: CallControls) => {
      ask ??= call;
    };
    let ask: CallControls["call"] | undefined;
    const page = show("caller", { query: "bob", onReady });
    ask?.("Who?");
    page.update({ query: "Us", onReady });
    await nextTurn();
    expect(texts(".call")).toEqual(["pending 0/1"]);
    answer.resolve("bob");
    await waitForTexts([".call"], ["idle 1/1 bob"]);
  },

  "cancels the previous call when a new call starts": async ({ bob, bothSignedIn, show }) => {
    await bothSignedIn();
    const answers = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
    const signals: AbortSignal[] = [];
    bob.module(Ask, ({ request, signal }) => {
      signals.push(signal);
      return answers[Number(request)]?.promise ?? "";
    });
    const { call } = showCaller(show, "bob");
    const before = call("0");
    await eventually(() => expect(signals).toHaveLength(1));
    call("1");
    expect(await before.all()).toMatchObject([{ error: { code: "cancelled" } }]);
    await eventually(() => expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]));
    answers[0]?.resolve("too late");
    answers[1]?.resolve("in time");
    await waitForTexts([".call"], ["idle 1/1 in time"]);
  },

  "cancels a call here and at the peer when the component unmounts": async ({ bob, bothSignedIn, show }) => {
    await bothSignedIn();
    const started = Promise.withResolvers<AbortSignal>();
    bob.module(Ask, ({ signal }) => {
      started.resolve(signal);
      return new Promise(noop);
    });
    const page = showCaller(show, "bob");
    const replies = page.call("Still there?");
    const signal = await started.promise;
    page.unmount();
    expect(await replies.all()).toMatchObject([{ error: { code: "cancelled" } }]);
    await eventually(() => expect(signal.aborted).toBe(true));
  },

  "reads a stream that an effect requests, restarts it when the effect reruns, and stops it at unmount": async ({
    bob,
    show,
    bothSignedIn,
  }) => {
    await bothSignedIn();
    const asked: number[] = [];
    const ended: number[] = [];
    bob.module(Count, async function* ({ request, signal }) {
      asked.push(request);
      signal.addEventListener("abort", () => ended.push(request));
      for (let n = request; !signal.aborted; n++) yield n;
    });
    const page = show("streamReader", { from: 0 });
    const item = () => Number(texts(".reader")[0]);
    await eventually(() => expect(item()).toBeGreaterThan(2));
    page.update({ from: 1_000_000 });
    await eventually(() => expect(item()).toBeGreaterThan(1_000_002));
    expect(ended).toEqual([0]);
    page.unmount();
    await eventually(() => expect(ended).toEqual([0, 1_000_000]));
    expect(asked).toEqual([0, 1_000_000]);
  },

  "shows trust requests and their errors without an unhandled rejection": async ({ ann, show, signIn }) => {
    await signIn([ann, "ann"]);
    let trust: TrustRequests | undefined;
    const onReady = (requests: TrustRequests) => {
      trust = requests;
    };
    show("trust", { onReady });
    expect(texts(".trust")).toEqual(["idle"]);
    const claimed = trust?.claimToken("Cid", "no such token");
    await waitForTexts([".trust"], ["pending"]);
    expect(await claimed).toBe(false);
    await waitForTexts([".trust"], ["token-invalid"]);
  },
};

function showCaller(show: Fixture["show"], query: Query = "*"): CallControls & Mounted<Pages["caller"]> {
  let latest: CallControls | undefined;
  const onReady = (controls: CallControls) => {
    latest = controls;
  };
  return {
    ...show("caller", { query, onReady }),
    ...(latest as CallControls),
    call: (request) => (latest as CallControls).call(request),
  };
}
