import type { Client } from "../../core/index.ts";
import { createNetwork } from "../../core/testing/network.ts";
import { counted } from "./counted.ts";
import type { Pages } from "./pages.ts";

/** What a server made of the pages, and what it left behind. */
export interface ServerPage {
  /** The people page. */
  readonly html: string;
  /** Subscriptions, listeners and modules that nobody has undone. */
  readonly open: number;
  /** How often a module was offered. */
  readonly offers: number;
}

/** How one framework renders a page on a server. */
export type RenderPage = <Name extends keyof Pages>(name: Name, props: Pages[Name], client: Client) => Promise<string>;

/** Renders every page, as a server that holds no connection does. */
export async function serve(render: RenderPage): Promise<ServerPage> {
  const ignore = () => {};
  const count = counted(createNetwork().client("ann"));
  const html = await render("people", { query: "*", saw: ignore }, count.client);
  await render("rows", { ids: ["a", "b"], rendered: ignore }, count.client);
  await render("caller", { query: "*", made: ignore }, count.client);
  await render("reader", { from: 0 }, count.client);
  await render("offer", { answer: "", heard: ignore }, count.client);
  await render("places", { answer: "" }, count.client);
  await render("trust", { made: ignore }, count.client);
  return { html, open: count.open, offers: count.offers };
}
