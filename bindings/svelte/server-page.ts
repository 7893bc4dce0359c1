import type { Component } from "svelte";
import { render as renderToString } from "svelte/server";
import { readable } from "svelte/store";
import type { RenderPage } from "../conformance/server-page.ts";
import root from "./conformance/root.svelte";
import { pages } from "./conformance.ts";

/** Renders a page with Svelte's server renderer. */
export const render: RenderPage = async (name, props, client) => {
  const shown = readable<object>(props);
  return renderToString<Component<any>>(root, { props: { client, page: pages[name], shown } }).body;
};
