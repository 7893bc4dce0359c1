import { readFileSync } from "node:fs";
import type { DefaultTheme } from "vitepress";
import { documentedEntries, importNameOf } from "../../tools/entries.ts";

const page = (text: string, link: string): DefaultTheme.SidebarItem => ({ text, link });

/** The decisions, in the order of their page. */
const decisions = [
  ...readFileSync(new URL("../decisions/index.md", import.meta.url), "utf8").matchAll(/^- \[(.+)\]\((.+)\.md\)$/gm),
].map(([, title = "", name = ""]) => page(title, `/decisions/${name}`));

/** The order of the pages. The group of the page that is shown opens by itself. */
export const sidebar: DefaultTheme.SidebarItem[] = [
  {
    text: "Start",
    items: [
      page("What bonevalue is", "/start/overview"),
      {
        text: "Quick start",
        collapsed: false,
        items: [
          page("TypeScript", "/quick-start/vanilla"),
          page("React", "/quick-start/react"),
          page("Vue", "/quick-start/vue"),
          page("Svelte", "/quick-start/svelte"),
        ],
      },
      page("Tutorial: a chat that sends files", "/start/tutorial"),
    ],
  },
  {
    text: "Concepts",
    items: [
      page("How it works", "/concepts/how-it-works"),
      page("The client", "/concepts/client"),
      page("Modules and calls", "/concepts/calls"),
      page("Queries and replies", "/concepts/queries"),
      page("Messages and delivery", "/concepts/messages"),
      page("Streams and files", "/concepts/streams"),
      page("Users, trust and rooms", "/concepts/users"),
      page("Profiles and presence", "/concepts/presence"),
      page("Links and reconnecting", "/concepts/links"),
      page("Identity", "/concepts/identity"),
    ],
  },
  {
    text: "Frameworks",
    collapsed: true,
    items: [
      page("React", "/frameworks/react"),
      page("Vue", "/frameworks/vue"),
      page("Svelte", "/frameworks/svelte"),
      page("Server rendering", "/frameworks/server-rendering"),
      page("Node, workers and script tags", "/frameworks/platforms"),
    ],
  },
  {
    text: "Recipes",
    collapsed: true,
    items: [
      page("Chat", "/recipes/chat"),
      page("File drop", "/recipes/file-drop"),
      page("Cursors", "/recipes/cursors"),
      page("Shared document (Yjs)", "/recipes/shared-document"),
      page("Invite link", "/recipes/invite-link"),
      page("Stay signed in", "/recipes/stay-signed-in"),
      page("Your app's accounts", "/recipes/own-accounts"),
      page("Test your app", "/recipes/testing"),
    ],
  },
  {
    text: "Deploy",
    collapsed: true,
    items: [
      page("Run a server", "/deploy/server"),
      page("On your own HTTP server", "/deploy/embed"),
      page("Docker, systemd, nginx, Caddy", "/deploy/proxies"),
      page("STUN, TURN and relay", "/deploy/turn"),
      page("Several nodes", "/deploy/cluster"),
      page("Operate a server", "/deploy/operate"),
    ],
  },
  {
    text: "Help",
    collapsed: true,
    items: [
      page("Troubleshooting", "/help/troubleshooting"),
      page("FAQ", "/help/faq"),
      page("Inspector", "/help/inspector"),
    ],
  },
  {
    text: "Migrate",
    collapsed: true,
    items: [
      page("From PeerJS", "/migrate/peerjs"),
      page("From Trystero", "/migrate/trystero"),
      page("From simple-peer", "/migrate/simple-peer"),
    ],
  },
  {
    text: "Reference",
    collapsed: true,
    items: [
      {
        text: "API",
        link: "/api/",
        collapsed: true,
        items: documentedEntries.map((entry) => page(importNameOf(entry)!, `/api/${importNameOf(entry)}`)),
      },
      page("Errors", "/reference/errors"),
      page("Limits", "/reference/limits"),
      page("Command line", "/reference/command-line"),
      page("Protocol", "/protocol"),
    ],
  },
  {
    text: "About",
    collapsed: true,
    items: [
      page("Security", "/security"),
      page("Benchmarks", "/bench"),
      page("Architecture", "/architecture"),
      { text: "Decisions", link: "/decisions/", collapsed: true, items: decisions },
      page("Changelog", "/about/changelog"),
      page("Contributing", "/about/contributing"),
    ],
  },
];

/** The links in the header. */
export const nav: DefaultTheme.NavItem[] = [
  { text: "Quick start", link: "/quick-start/vanilla" },
  { text: "Recipes", link: "/recipes/chat" },
  { text: "API", link: "/api/" },
];
