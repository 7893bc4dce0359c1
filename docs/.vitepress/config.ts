import { defineConfig, type UserConfig } from "vitepress";
import llmstxt from "vitepress-plugin-llms";
import { nav, sidebar } from "./sidebar.ts";

const description =
  "Web pages that call each other: discovery, trust, calls, streams and presence over WebRTC data channels.";

const config: UserConfig = defineConfig({
  title: "bonevalue",
  description,
  lang: "en",
  cleanUrls: false,
  lastUpdated: false,
  // Pages include these.
  srcExclude: ["**/parts/**"],
  head: [
    [
      "link",
      {
        rel: "icon",
        href: "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><circle cx='5' cy='8' r='4' fill='%230b7468'/><circle cx='12' cy='8' r='3' fill='%2343b9a9'/></svg>",
      },
    ],
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
    languageAlias: { caddy: "nginx" },
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
  },
  vite: { plugins: [llmstxt({ injectLLMHint: false, ignoreFilesPerOutput: { llmsFullTxt: ["api/**"] } })] },
  themeConfig: {
    nav,
    sidebar,
    outline: [2, 3],
    search: { provider: "local" },
    externalLinkIcon: true,
  },
});

export default config;
