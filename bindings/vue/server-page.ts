import { createSSRApp, h } from "vue";
import { renderToString } from "vue/server-renderer";
import type { RenderPage } from "../conformance/server-page.ts";
import { pages } from "./conformance.ts";
import { bonevalue } from "./index.ts";

/** Renders a page with Vue's server renderer. */
export const render: RenderPage = (name, props, client) =>
  renderToString(createSSRApp(() => h(pages[name], props)).use(bonevalue, { client }));
