import { createElement } from "react";
import { renderToString } from "react-dom/server";
import type { RenderPage } from "../conformance/server-page.ts";
import { pages } from "./conformance.tsx";
import { BonevalueProvider } from "./index.ts";

/** Renders a page with React's server renderer. */
export const render: RenderPage = async (name, props, client) =>
  renderToString(<BonevalueProvider client={client}>{createElement(pages[name], props)}</BonevalueProvider>);
