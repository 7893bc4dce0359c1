import { serverPages } from "virtual:server-pages";
import { expect } from "vitest";
import { type Behaviours, type Fixture, noop, waitForTexts } from "./fixture.ts";
import { createSignedNetwork } from "./signed-network.ts";

/** Server rendering and hydration. */
export const serverRenderingBehaviours: Behaviours = {
  "renders on a server without subscribing or registering anything": async ({ framework }) => {
    const { html, open, registrations } = serverPages[framework.serverPage];
    expect(html).toContain("offline");
    expect({ open, registrations }).toEqual({ open: 0, registrations: 0 });
  },

  "hydrates a server-rendered page without a warning, then follows changes": async (fixture) => {
    const status = hydratePage(fixture);
    expect(status?.textContent).toBe("offline");
    await fixture.signIn([fixture.ann, "ann"]);
    await waitForTexts([".status", ".self"], ["online", "ann"]);
    expect(document.querySelector(".status")).toBe(status);
  },

  "hydrates a server-rendered page without a warning when the client is already online": async (fixture) => {
    await fixture.bothSignedIn();
    const status = hydratePage(fixture);
    await waitForTexts([".status", ".self", ".peers"], ["online", "ann", '"*": bob', '"*": bob']);
    expect(document.querySelector(".status")).toBe(status);
  },

  "renders no identity on a server, and hydrates it without a warning": async ({ framework, show }) => {
    const host = document.createElement("div");
    host.innerHTML = serverPages[framework.serverPage].identity;
    const own = host.querySelector(".own");
    expect(own?.textContent).toBe("none");
    const client = createSignedNetwork().client("ann");
    await client.connect("test", "ann", "");
    show("identity", { alias: "Bob" }, { host, client });
    await waitForTexts([".own", ".user"], ["single, 0 others", "Bob unknown"]);
    expect(document.querySelector(".own")).toBe(own);
    await client.disconnect();
  },
};

/** Hydrates the server-rendered page; returns one of its elements from before the hydration. */
function hydratePage({ framework, show }: Fixture): Element | null {
  const host = document.createElement("div");
  host.innerHTML = serverPages[framework.serverPage].html;
  const status = host.querySelector(".status");
  show("presence", { query: "*", onPeers: noop }, { host });
  return status;
}
