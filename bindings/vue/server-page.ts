import { createSSRApp, h } from "vue";
import { renderToString } from "vue/server-renderer";
import { createNetwork } from "../../core/testing/network.ts";
import { pages } from "./conformance.ts";
import { bonevalue } from "./index.ts";

/** The people page as a server renders it. */
export async function renderPage(): Promise<string> {
  const app = createSSRApp(() => h(pages.people, { query: "*", saw: () => {} }));
  return renderToString(app.use(bonevalue, { client: createNetwork().client("ann") }));
}
