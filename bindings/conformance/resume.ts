import { type Behaviours, nextTurn, noop, texts, waitForTexts } from "./fixture.ts";

/** Tests of staying signed in. */
export const resumeBehaviours: Behaviours = {
  "resumes at mount, and signs in without credentials": async ({ network, show }) => {
    const options = { remember: { in: "device", key: "resume at mount" } } as const;
    const before = network.client("ann", options);
    await before.connect("test", "ann", "");
    await before.disconnect();
    const client = network.client("ann", options);
    try {
      const page = show("presence", { query: "*", onPeers: noop }, { client, resume: true });
      await waitForTexts([".status", ".self"], ["online", "ann"]);
      page.unmount();
      // Once more, as a route that is left and entered again.
      show("presence", { query: "*", onPeers: noop }, { client, resume: true });
      await waitForTexts([".status", ".self"], ["online", "ann"]);
    } finally {
      await client.signOut();
    }
  },

  "stays signed out if there is nothing to resume": async ({ network, show }) => {
    const client = network.client("ann", { remember: { in: "device", key: "nothing to resume" } });
    show("presence", { query: "*", onPeers: noop }, { client, resume: true });
    await client.resume();
    await nextTurn();
    if (texts(".status")[0] !== "offline") throw new Error(`The page is ${texts(".status")[0]}.`);
  },
};
