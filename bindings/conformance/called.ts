import { expect } from "vitest";
import type { Query, Trust } from "../../core/index.ts";
import { eventually } from "../../tools/eventually.ts";
import type { Mounted } from "./framework.ts";
import { Ask, Count, type Made, type Pages } from "./pages.ts";
import { type Behaviours, becomes, ignore, type Scene, settled, texts } from "./scene.ts";

/** What a view shows of what it asks for: calls, and requests about trust. */
export const called: Behaviours = {
  "shows a call from its start to its last reply": async ({ network, bob, signIn, bothSignedIn, show }) => {
    const cid = network.client("cid");
    await signIn([cid, "cid"]);
    await bothSignedIn();
    const slow = Promise.withResolvers<string>();
    bob.module(Ask, () => "fast");
    cid.module(Ask, () => slow.promise);
    const { call } = showCaller(show);
    expect(texts(".call")).toEqual(["still 0/0"]);
    const replies = call("Anybody?");
    await becomes([".call"], ["pending 1/2 fast"]);
    slow.resolve("slow");
    await becomes([".call"], ["still 2/2 fast"]);
    expect(await replies.all()).toMatchObject([{ value: "fast" }, { value: "slow" }]);
    await cid.disconnect();
  },

  "shows why a call brought no value, until a reset": async ({ bothSignedIn, show }) => {
    await bothSignedIn();
    const { call, reset } = showCaller(show, "bob");
    call("Anybody?");
    await becomes([".call"], ["still 1/1 unknown-module"]);
    reset();
    await becomes([".call"], ["still 0/0"]);
  },

  "asks whom the query names when the call is made": async ({ bob, show, bothSignedIn }) => {
    await bothSignedIn();
    bob.module(Ask, () => "bob");
    const made = (now: Made) => {
      latest = now;
    };
    let latest: Made | undefined;
    const page = show("caller", { query: "Us", made });
    page.update({ query: "bob", made });
    await settled();
    latest?.call("Who?");
    await becomes([".call"], ["still 1/1 bob"]);
  },

  "keeps to the call that is under way when the query becomes another": async ({ bob, show, bothSignedIn }) => {
    await bothSignedIn();
    const answer = Promise.withResolvers<string>();
    bob.module(Ask, () => answer.promise);
    const made = ({ call }: Made) => {
      ask ??= call;
    };
    let ask: Made["call"] | undefined;
    const page = show("caller", { query: "bob", made });
    ask?.("Who?");
    page.update({ query: "Us", made });
    await settled();
    expect(texts(".call")).toEqual(["pending 0/1"]);
    answer.resolve("bob");
    await becomes([".call"], ["still 1/1 bob"]);
  },

  "cancels the call before when it makes another": async ({ bob, bothSignedIn, show }) => {
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
    await becomes([".call"], ["still 1/1 in time"]);
  },

  "cancels a call, at the peer as well, when it unmounts": async ({ bob, bothSignedIn, show }) => {
    await bothSignedIn();
    const started = Promise.withResolvers<AbortSignal>();
    bob.module(Ask, ({ signal }) => {
      started.resolve(signal);
      return new Promise(ignore);
    });
    const page = showCaller(show, "bob");
    const replies = page.call("Still there?");
    const signal = await started.promise;
    page.unmount();
    expect(await replies.all()).toMatchObject([{ error: { code: "cancelled" } }]);
    await eventually(() => expect(signal.aborted).toBe(true));
  },

  "reads a stream that an effect asks for, anew when the effect runs again, until it unmounts": async ({
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
    const page = show("reader", { from: 0 });
    const item = () => Number(texts(".reader")[0]);
    await eventually(() => expect(item()).toBeGreaterThan(2));
    page.update({ from: 1_000_000 });
    await eventually(() => expect(item()).toBeGreaterThan(1_000_002));
    expect(ended).toEqual([0]);
    page.unmount();
    await eventually(() => expect(ended).toEqual([0, 1_000_000]));
    expect(asked).toEqual([0, 1_000_000]);
  },

  "shows requests about trust, and why one failed, which whoever made it need not handle": async ({
    ann,
    show,
    signIn,
  }) => {
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
  },
};

function showCaller(show: Scene["show"], query: Query = "*"): Made & Mounted<Pages["caller"]> {
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
