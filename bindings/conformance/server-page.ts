import type { Client } from "../../core/index.ts";
import { createNetwork } from "../../core/testing/network.ts";
import { createCountingClient } from "./counting-client.ts";
import type { Pages } from "./pages.ts";

/** The result of rendering the pages on a server. */
export interface ServerPage {
  /** The presence page. */
  readonly html: string;
  /** The identity page. */
  readonly identity: string;
  /** Subscriptions, listeners and modules that are still active. */
  readonly open: number;
  /** How often a module was registered. */
  readonly registrations: number;
}

/** Renders a page on a server with one framework. */
export type RenderPage = <Name extends keyof Pages>(name: Name, props: Pages[Name], client: Client) => Promise<string>;

/** Renders every page with a client that is not connected. */
export async function renderAll(render: RenderPage): Promise<ServerPage> {
  const noop = () => {};
  const count = createCountingClient(createNetwork().client("ann"));
  const html = await render("presence", { query: "*", onPeers: noop }, count.client);
  await render("rows", { ids: ["a", "b"], onRender: noop }, count.client);
  await render("caller", { query: "*", onReady: noop }, count.client);
  await render("streamReader", { from: 0 }, count.client);
  await render("module", { answer: "", onPeerConnect: noop }, count.client);
  await render("keyedModule", { answer: "" }, count.client);
  await render("others", { query: "*", onCount: noop }, count.client);
  await render("otherRows", { ids: ["a"], onRender: noop }, count.client);
  await render("own", { initial: 1, onReady: noop }, count.client);
  await render("trust", { onReady: noop }, count.client);
  const identity = await render("identity", { alias: "Bob" }, count.client);
  return { html, identity, open: count.open, registrations: count.registrations };
}
