import type { DefaultTheme } from "vitepress";
import { documentedEntries, importNameOf } from "../../tools/entries.ts";

const api = documentedEntries.map((entry) => ({ text: importNameOf(entry)!, link: `/api/${importNameOf(entry)}` }));

/** The order of the pages. Every page is in it once, which `tools/docs-site.test.ts` checks. */
export const sidebar: DefaultTheme.Sidebar = [
  {
    text: "Start",
    items: [
      { text: "Guide", link: "/guide" },
      { text: "Identity", link: "/identity" },
    ],
  },
  { text: "Deploy", items: [{ text: "Run a server", link: "/deployment" }] },
  { text: "Help", items: [{ text: "Inspector", link: "/inspector" }] },
  { text: "Migrate", items: [{ text: "From PeerJS", link: "/from-peerjs" }] },
  {
    text: "Reference",
    items: [
      { text: "API", collapsed: true, items: api },
      { text: "Protocol", link: "/protocol" },
    ],
  },
  {
    text: "About",
    items: [
      { text: "Security", link: "/security" },
      { text: "Benchmarks", link: "/bench" },
      { text: "Architecture", link: "/architecture" },
      { text: "Decisions", link: "/decisions/" },
    ],
  },
];

export const nav: DefaultTheme.NavItem[] = [
  { text: "Guide", link: "/guide" },
  { text: "API", link: "/api/" },
];
