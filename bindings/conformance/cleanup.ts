import { expect } from "vitest";
import { eventually } from "../../tools/eventually.ts";
import { createCountingClient } from "./counting-client.ts";
import { type Behaviours, noop } from "./fixture.ts";
import type { Pages } from "./pages.ts";

/** Unmounting releases every resource. */
export const cleanupBehaviours: Behaviours = {
  "releases everything at unmount": async ({ ann, show }) => {
    const count = createCountingClient(ann);
    const pages = [
      show("presence", { query: "*", onPeers: noop }, { client: count.client }),
      show("module", { answer: "", onPeerConnect: noop }, { client: count.client }),
      show("rows", { ids: ["a", "b"], onRender: noop }, { client: count.client }),
      show("others", { query: "*", onCount: noop }, { client: count.client }),
      show("otherRows", { ids: ["a", "b"], onRender: noop }, { client: count.client }),
      show("own", { initial: 1, onReady: noop }, { client: count.client }),
      show("identity", { alias: "bob" }, { client: count.client }),
    ];
    await eventually(() => expect(count.open).toBeGreaterThanOrEqual(15));
    for (const page of pages) page.unmount();
    await eventually(() => expect(count.open).toBe(0));
  },

  "leaks nothing after a thousand mounts": async ({ ann, framework }) => {
    const count = createCountingClient(ann);
    const host = document.createElement("div");
    const once = <Name extends keyof Pages>(name: Name, props: Pages[Name]) =>
      framework.mount(name, props, { client: count.client, host }).unmount();
    for (let round = 0; round < 250; round++) {
      once("presence", { query: { peer: `peer-${round}` }, onPeers: noop });
      once("module", { answer: "", onPeerConnect: noop });
      once("caller", { query: "*", onReady: noop });
      once("trust", { onReady: noop });
      once("identity", { alias: `user ${round}` });
    }
    await eventually(() => expect(count.open).toBe(0));
    expect(count.registrations).toBe(250);
    expect(host.childElementCount).toBe(0);
  },
};
