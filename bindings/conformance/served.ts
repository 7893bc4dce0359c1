import { serverPages } from "virtual:server-pages";
import { expect } from "vitest";
import { type Behaviours, becomes, ignore, type Scene } from "./scene.ts";

/** What a server renders, and how a page takes over from it. */
export const served: Behaviours = {
  "renders on a server, where it subscribes to nothing and offers nothing": async ({ framework }) => {
    const { html, open, offers } = serverPages[framework.serverPage];
    expect(html).toContain("offline");
    expect({ open, offers }).toEqual({ open: 0, offers: 0 });
  },

  "takes over a server's page without a warning, and follows from then on": async (scene) => {
    const status = takeOver(scene);
    expect(status?.textContent).toBe("offline");
    await scene.signIn([scene.ann, "ann"]);
    await becomes([".status", ".self"], ["online", "ann"]);
    expect(document.querySelector(".status")).toBe(status);
  },

  "takes over a server's page without a warning when it is online already": async (scene) => {
    await scene.bothSignedIn();
    const status = takeOver(scene);
    await becomes([".status", ".self", ".peers"], ["online", "ann", '"*": bob', '"*": bob']);
    expect(document.querySelector(".status")).toBe(status);
  },
};

/** Takes over the server's page, and gives an element of it as it was before. */
function takeOver({ framework, show }: Scene): Element | null {
  const host = document.createElement("div");
  host.innerHTML = serverPages[framework.serverPage].html;
  const status = host.querySelector(".status");
  show("people", { query: "*", saw: ignore }, { host });
  return status;
}
