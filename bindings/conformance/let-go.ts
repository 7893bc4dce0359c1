import { expect } from "vitest";
import { eventually } from "../../tools/eventually.ts";
import { counted } from "./counted.ts";
import type { Pages } from "./pages.ts";
import { type Behaviours, ignore } from "./scene.ts";

/** What is left of a component that has gone. */
export const letGo: Behaviours = {
  "lets go of everything when it unmounts": async ({ ann, show }) => {
    const count = counted(ann);
    const pages = [
      show("people", { query: "*", saw: ignore }, { client: count.client }),
      show("offer", { answer: "", heard: ignore }, { client: count.client }),
      show("rows", { ids: ["a", "b"], rendered: ignore }, { client: count.client }),
    ];
    await eventually(() => expect(count.open).toBeGreaterThanOrEqual(8));
    for (const page of pages) page.unmount();
    await eventually(() => expect(count.open).toBe(0));
  },

  "leaves nothing behind after a thousand mounts": async ({ ann, framework }) => {
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
    await eventually(() => expect(count.open).toBe(0));
    expect(count.offers).toBe(250);
    expect(host.childElementCount).toBe(0);
  },
};
