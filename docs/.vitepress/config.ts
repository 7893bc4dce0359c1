import { defineConfig, type UserConfig } from "vitepress";
import llmstxt from "vitepress-plugin-llms";
import { nav, sidebar } from "./sidebar.ts";
import { selectTypedBlocks, twoslash } from "./twoslash.ts";

const description =
  "Web pages that call each other: discovery, trust, calls, streams and presence over WebRTC data channels.";

/** The origin of the published site, such as `https://bonevalue.example`. */
const hostname = process.env["SITE_URL"];

const config: UserConfig = defineConfig({
  title: "bonevalue",
  description,
  lang: "en",
  cleanUrls: false,
  lastUpdated: false,
  // Pages include these.
  srcExclude: ["**/parts/**"],
  // The URLs of a sitemap are absolute.
  ...(hostname && { sitemap: { hostname } }),
  head: [
    ["link", { rel: "icon", href: "/logo.svg" }],
    ["meta", { property: "og:site_name", content: "bonevalue" }],
    ["meta", { property: "og:type", content: "website" }],
  ],
  transformPageData: (page) => ({
    frontmatter: {
      ...page.frontmatter,
      head: [
        ["meta", { property: "og:title", content: page.title || "bonevalue" }],
        ["meta", { property: "og:description", content: page.description || description }],
      ],
    },
  }),
  markdown: {
    codeTransformers: [twoslash],
    config: selectTypedBlocks,
    // The docstrings of other packages show these.
    languages: ["ts", "tsx", "js", "json", "sh", "html"],
    languageAlias: { caddy: "nginx" },
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
  },
  vite: { plugins: [llmstxt({ injectLLMHint: false, ignoreFilesPerOutput: { llmsFullTxt: ["api/**"] } })] },
  themeConfig: {
    logo: { light: "/logo.svg", dark: "/logo-dark.svg", alt: "" },
    nav,
    sidebar,
    outline: [2, 3],
    search: {
      provider: "local",
      options: {
        _render: (text, env, md) => md.renderAsync(text, { ...env, isSearched: true }),
        miniSearch: {
          searchOptions: {
            // Guides come before reference, and both before what contributors read.
            boostDocument: (path: string) =>
              /^\/(about|decisions|protocol)/.test(path) ? 0.2 : /^\/api/.test(path) ? 0.5 : 1,
          },
        },
      },
    },
    externalLinkIcon: true,
  },
});

export default config;
