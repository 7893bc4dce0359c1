import type { Component } from "svelte";
import { render as renderToString } from "svelte/server";
import { readable } from "svelte/store";
import type { RenderPage } from "../conformance/server-page.ts";
import frame from "./conformance/frame.svelte";
import { pages } from "./conformance.ts";

/** A page as Svelte's server renders it. */
export const render: RenderPage = async (name, props, client) => {
  const shown = readable<object>(props);
  return renderToString<Component<any>>(frame, { props: { client, page: pages[name], shown } }).body;
};
