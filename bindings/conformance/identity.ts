import { expect } from "vitest";
import type { Client } from "../../core/index.ts";
import { eventually } from "../../tools/eventually.ts";
import { type Behaviour, type Behaviours, type Fixture, nextTurn, noop, texts, waitForTexts } from "./fixture.ts";
import { Ask, type TrustRequests } from "./pages.ts";
import { createSignedNetwork } from "./signed-network.ts";

interface SignedFixture extends Fixture {
  /** Their connections are signed. They trust each other, as `ann` and `bob`. */
  readonly ann: Client;
  readonly bob: Client;
  /** The functions of `useTrust` for ann. */
  readonly trust: TrustRequests;
}

/** Ann's and bob's identities as a view of ann shows them. */
export const identityBehaviours: Behaviours = {
  "shows the own identity and the identity of a user while signed in": signed(
    async ({ ann, bob, show, signIn, bothSignedIn, trust }) => {
      show("identity", { alias: "bob" }, { client: ann });
      expect(texts(".own", ".user", ".link")).toEqual(["none", "bob unknown", "undefined"]);
      await bothSignedIn();
      await waitForTexts([".own", ".user"], ["single, 0 others", "bob unknown"]);
      await ann.get("bob").call(Ask, "").all();
      await trust.acceptIdentity("bob", bob.identity.peek()!.account);
      await waitForTexts([".user"], ["bob verified 12 groups"]);
      await ann.disconnect();
      await waitForTexts([".own", ".user"], ["none", "bob unknown"]);
      await signIn([ann, "ann"]);
      await waitForTexts([".own", ".user"], ["single, 0 others", "bob verified 12 groups"]);
    },
  ),

  "follows the identity of a user and whether a link is verified, from the first connection to the accepted account":
    signed(async ({ ann, bob, show, bothSignedIn, trust }) => {
      await bothSignedIn();
      bob.module(Ask, ({ verified }) => `verified: ${verified}`);
      show("identity", { alias: "bob" }, { client: ann });
      expect(await ann.get("bob").call(Ask, "").first()).toBe("verified: false");
      await waitForTexts([".user", ".link"], ["bob seen 12 groups", "false"]);
      expect(await trust.acceptIdentity("bob", bob.identity.peek()!.account)).toBe(true);
      await ann.get("bob").call(Ask, "").all();
      await waitForTexts([".user", ".link"], ["bob verified 12 groups", "true"]);
    }),

  "shows the identity of another user as soon as the alias changes": signed(
    async ({ ann, bob, show, bothSignedIn, trust }) => {
      await bothSignedIn();
      await ann.get("bob").call(Ask, "").all();
      await trust.acceptIdentity("bob", bob.identity.peek()!.account);
      const page = show("identity", { alias: "cid" }, { client: ann });
      expect(texts(".user")).toEqual(["cid unknown"]);
      page.update({ alias: "bob" });
      await waitForTexts([".user"], ["bob verified 12 groups"]);
    },
  ),

  "tells whether a request about an identity succeeded, without an unhandled rejection": signed(
    async ({ ann, bothSignedIn, trust }) => {
      await bothSignedIn();
      const { account } = ann.identity.peek()!;
      expect(await trust.acceptIdentity("bob", account)).toBe(false);
      await waitForTexts([".trust"], ["identity-mismatch"]);
      expect(await trust.removeDevice("no such device")).toBe(false);
      await waitForTexts([".trust"], ["invalid-request"]);
      expect(await trust.resetIdentity()).toBe(true);
      await waitForTexts([".trust"], ["idle"]);
      expect(ann.identity.peek()?.account).not.toBe(account);
    },
  ),

  "accepts calls only from verified peers while `verified` is set": signed(async ({ ann, bob, show, bothSignedIn }) => {
    await bothSignedIn();
    const props = { answer: "here", onPeerConnect: noop };
    const page = show("module", { ...props, verified: true }, { client: ann });
    await nextTurn();
    const ask = () => bob.get("ann").call(Ask, "").first();
    await expect(ask()).rejects.toMatchObject({ code: "forbidden" });
    page.update({ ...props, verified: false });
    await nextTurn();
    expect(await ask()).toBe("here");
  }),
};

/** A behaviour of two clients whose connections are signed. */
function signed(behaviour: (fixture: SignedFixture) => Promise<void>): Behaviour {
  return async (fixture) => {
    const network = createSignedNetwork();
    const [ann, bob] = [network.client("ann"), network.client("bob")];
    let trust: TrustRequests | undefined;
    const onReady = (requests: TrustRequests) => {
      trust = requests;
    };
    fixture.show("trust", { onReady }, { client: ann });
    await eventually(() => expect(trust).toBeDefined());
    const bothSignedIn = () => fixture.signIn([bob, "bob"], [ann, "ann"]);
    try {
      await behaviour({ ...fixture, ann, bob, bothSignedIn, trust: trust! });
    } finally {
      await Promise.all([ann.disconnect(), bob.disconnect()]);
    }
  };
}
