import { createSSRApp, h } from "vue";
import { renderToString } from "vue/server-renderer";
import type { RenderPage } from "../conformance/server-page.ts";
import { pages } from "./conformance.ts";
import { bonevalue } from "./index.ts";

/** A page as Vue's server renders it. */
export const render: RenderPage = (name, props, client) =>
  renderToString(createSSRApp(() => h(pages[name], props)).use(bonevalue, { client }));
