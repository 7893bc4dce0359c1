import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import type { RunOptions } from "axe-core";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chromiumContext, shellLaunch } from "./chromium.ts";
import { root } from "./entries.ts";
import { saveScreenshot } from "./screenshot.ts";
import { type StaticSite, serveSite } from "./static-site.ts";

// Builds the site, and opens each page once. The tests look at what that found.

const built = `${root}docs/.vitepress/dist/`;
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const phone = { width: 360, height: 740 };
const desktop = { width: 1_280, height: 800 };
// More would share the cores, and each page would only take longer.
const tabs = availableParallelism();
const published = "https://bonevalue.example";

/** One page of each kind. Elsewhere axe skips the header and the sidebar, which are the same. */
const kinds = ["/index.html", "/recipes/chat.html", "/decisions/rooms.html", "/api/bonevalue/yjs.html"];

/** Pages that consist of the same elements: axe looks at their colors in the dark scheme on one page of each kind only. */
const isAlike = (path: string): boolean => /^\/(api|decisions)\//.test(path) && !kinds.includes(path);

/** The pages whose screenshots are in the repository, and their names. */
const pictures: Readonly<Record<string, string>> = {
  "/index.html": "home",
  "/quick-start/react.html": "quick-start",
  "/recipes/chat.html": "recipe",
  "/help/troubleshooting.html": "help",
  "/api/bonevalue/yjs.html": "api",
};

/** What one visit found. */
interface Visit {
  readonly path: string;
  /** Lines of the console, and requests to other hosts. */
  readonly problems: readonly string[];
  /** What axe calls serious or critical. */
  readonly violations: readonly string[];
  /** By how many pixels the page is wider than a phone. */
  readonly overflow: number;
  /** The names of its anchors. */
  readonly ids: ReadonlySet<string>;
  /** The URLs of all its links. */
  readonly links: readonly string[];
  /** The paths in its sidebar. */
  readonly sidebar: readonly string[];
}

let site: StaticSite;
let browser: Browser;
let context: BrowserContext;
let visits: readonly Visit[];

beforeAll(async () => {
  await build();
  [site, browser] = await Promise.all([serveSite(built, [""]), chromium.launch(shellLaunch())]);
  // Without transitions: otherwise axe may see a color in between two schemes.
  context = await browser.newContext({
    ...chromiumContext,
    viewport: phone,
    colorScheme: "light",
    reducedMotion: "reduce",
  });
  // As for a whole test in vitest.config.ts. The machine may do other work as well.
  context.setDefaultTimeout(60_000);
  await context.addInitScript({ path: axe });
  const pages = globSync("**/*.html", { cwd: built }).map((path) => `/${path}`);
  visits = await visitAll(pages.filter((path) => path !== "/404.html"));
  if (process.env["SCREENSHOTS"]) await takeScreenshots();
}, 1_800_000);

afterAll(async () => {
  await browser?.close();
  await site?.close();
});

test("no page logs to its console, or asks another host", () => {
  expect(found(({ problems }) => problems)).toEqual([]);
});

test("no page scrolls sideways on a phone", () => {
  expect(found(({ overflow }) => (overflow > 0 ? [`${overflow} px`] : []))).toEqual([]);
});

test("axe finds nothing serious on any page, in either color scheme", () => {
  expect(found(({ violations }) => violations)).toEqual([]);
});

test("every link leads to a page and an anchor that exist", () => {
  const anchors = new Map(visits.map(({ path, ids }) => [path, ids]));
  const isBroken = (link: string) => {
    const { origin, hash } = new URL(link);
    const ids = anchors.get(pathOf(link));
    return origin === site.origin && !(ids && (hash === "" || ids.has(decodeURIComponent(hash.slice(1)))));
  };
  expect(visits.length).toBeGreaterThan(80);
  expect(visits.flatMap(({ links }) => links).length).toBeGreaterThan(5_000);
  expect(found(({ links }) => links.filter(isBroken))).toEqual([]);
});

test("every page is in the sidebar", () => {
  const pages = visits.map(({ path }) => path).filter((path) => path !== "/index.html");
  const { sidebar } = visits.find(({ path }) => path === pages[0])!;
  expect(pages.filter((path) => !sidebar.includes(path))).toEqual([]);
});

test("the sitemap lists every page", () => {
  const listed = [...readFileSync(`${built}sitemap.xml`, "utf8").matchAll(/<loc>(.*?)<\/loc>/g)].map(([, url]) => url!);
  expect(listed.filter((url) => new URL(url).origin !== published)).toEqual([]);
  expect(listed.map(pathOf).toSorted()).toEqual(visits.map(({ path }) => path).toSorted());
});

test("code blocks show the types of their names, also blocks that continue another one, and scripts of Svelte", async () => {
  const { page, problems } = await openTab();
  await show(page, "/concepts/queries.html");
  const showType = async (name: string, type: string) => {
    await page
      .locator(".twoslash-hover", { hasText: new RegExp(`^${name}$`) })
      .last()
      .hover();
    await page.locator(".v-popper__popper--shown", { hasText: type }).waitFor();
  };
  await showType("everybody", "const everybody: Target");
  await showType("ann", "const ann: Client | undefined");
  await expect.poll(() => page.getByText("const network = createNetwork()").count()).toBe(1);
  await show(page, "/frameworks/svelte.html");
  await showType("Cursor", "const Cursor: PresenceDefinition<");
  await show(page, "/help/inspector.html");
  await showType("exportLog", "Returns the log of a client as JSON");
  await page.locator(".v-popper__popper--shown code", { hasText: /^InspectorOptions\.payloads$/ }).waitFor();
  const scripts = globSync("assets/*.js", { cwd: built });
  expect(scripts.filter((name) => readFileSync(built + name, "utf8").includes("{@link"))).toEqual([]);
  expect(problems).toEqual([]);
  await page.close();
});

/** What newcomers ask, the words that they search for, and the answer, which is among the first four results. */
const questions: readonly (readonly [question: string, words: string, answer: string])[] = [
  ["Why do I see 0 peers?", "0 peers", "/help/troubleshooting.html#_0-peers"],
  ["Why did my message not arrive?", "message did not arrive", "/help/troubleshooting.html#a-message-did-not-arrive"],
  ["How do I name users?", "user names", "/help/faq.html#how-do-i-name-users"],
  ["How do users stay signed in?", "stay signed in", "/recipes/stay-signed-in.html"],
  ["My app has accounts. How do I use them?", "app accounts", "/recipes/own-accounts.html"],
  ["How do I invite somebody?", "invite", "/recipes/invite-link.html"],
  ["How do I ban somebody?", "ban", "/help/faq.html#how-do-i-ban-somebody"],
  ["How do I host the server?", "host server", "/help/faq.html#how-do-i-host-the-server"],
  ["Is there a Docker image?", "docker", "/deploy/proxies.html#docker"],
  ["Can tabs do without a server?", "without server", "/quick-start/vanilla.html#without-a-server"],
  ["Why is there no TURN server?", "TURN", "/deploy/turn.html"],
  ["Does it get through a firewall?", "firewall", "/help/faq.html#why-do-i-need-turn"],
  ["What happens when a connection breaks?", "reconnect", "/concepts/links.html#reconnecting"],
  ["What happens when my page is offline?", "offline", "/help/faq.html#what-happens-when-my-page-is-offline"],
  ["Is delivery guaranteed?", "guaranteed", "/help/faq.html#is-delivery-guaranteed"],
  ["How do I send a file?", "send file", "/recipes/file-drop.html"],
  ["How do I share a document?", "yjs", "/recipes/shared-document.html"],
  ["Does it do video?", "video", "/help/faq.html#does-it-do-audio-and-video"],
  ["Can the server read my calls?", "encryption", "/help/faq.html#can-the-server-read-my-calls"],
  ["Can others see my IP address?", "IP address", "/help/faq.html#can-others-see-my-ip-address"],
  ["How do I test my app?", "test my app", "/recipes/testing.html"],
  ["How do I see what is going on?", "inspector", "/help/inspector.html"],
  ["How large is the bundle?", "bundle size", "/help/faq.html#how-large-is-the-bundle"],
  ["How do I move from PeerJS?", "peerjs", "/migrate/peerjs.html"],
  ["How do I limit the links?", "ClientOptions.maxLinks", "/api/bonevalue.html#maxlinks"],
];

test("the search answers what newcomers ask", async () => {
  const { page, problems } = await openTab();
  await show(page, "/start/overview.html");
  await page.getByRole("button", { name: "Search" }).click();
  for (const [question, words, answer] of questions) {
    await page.getByRole("searchbox").fill(words);
    const first = page.locator(".results > li:nth-child(-n + 4) a");
    await expect.poll(() => hrefsOf(first), { message: question }).toContainEqual(expect.stringContaining(answer));
  }
  expect(problems).toEqual([]);
  await page.close();
});

const hrefsOf = (links: Pane) =>
  links.evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).getAttribute("href")));

const demos: Readonly<Record<string, (ann: Pane, bob: Pane) => Promise<void>>> = {
  "/index.html": async (ann) => {
    await ann.getByText("Bob is online.").waitFor();
    await ann.getByRole("button", { name: "Say hello" }).click();
    await ann.getByText("Bob: Hello Ann!").waitFor();
  },
  "/recipes/chat.html": async (ann, bob) => {
    await ann.getByLabel("Message").fill("Lunch?");
    await bob.getByText("Ann is typing").waitFor();
    await ann.getByRole("button", { name: "Send" }).click();
    await bob.getByText("Ann Lunch?").waitFor();
  },
  "/recipes/cursors.html": async (ann, bob) => {
    await bob.getByText("Ann", { exact: true }).waitFor();
    await ann.getByText("Move the pointer here.").hover({ position: { x: 8, y: 8 } });
    await expect.poll(() => bob.locator("i").getAttribute("style")).toMatch(/left: \d\.\d+%/);
  },
  "/recipes/file-drop.html": async (ann, bob) => {
    const file = { name: "list.txt", mimeType: "text/plain", buffer: Buffer.from("milk") };
    await ann.getByLabel("File").setInputFiles(file);
    await bob.getByRole("link", { name: "list.txt" }).waitFor();
    await ann.getByText("Bob: received").waitFor();
  },
  "/recipes/invite-link.html": async (ann, bob) => {
    await ann.getByLabel("Your name").fill("Ann");
    await ann.getByRole("button", { name: "New link" }).click();
    const link = await ann.getByLabel("Link").inputValue();
    expect(link).toMatch(/\/recipes\/invite-link\.html#room=[\da-f-]{36}$/);
    await ann.getByRole("button", { name: "Enter" }).click();
    await ann.getByText("Ann (you)").waitFor();
    await bob.getByLabel("Your name").fill("Bob");
    await bob.getByLabel("Link").fill(link);
    await bob.getByRole("button", { name: "Enter" }).click();
    await bob.getByText("Ann", { exact: true }).waitFor();
    await ann.getByText("Bob", { exact: true }).waitFor();
    await bob.getByRole("button", { name: "Leave" }).click();
    await expect.poll(() => ann.getByRole("listitem").count()).toBe(1);
  },
  "/recipes/shared-document.html": async (ann, bob) => {
    await ann.getByLabel("Item").fill("Milk");
    await ann.getByRole("button", { name: "Add" }).click();
    await bob.getByText("Milk").waitFor();
  },
  "/recipes/stay-signed-in.html": async (ann, bob) => {
    for (const [pane, name] of [[ann, "ann"] as const, [bob, "bob"] as const]) {
      await pane.getByLabel("User name").fill(name);
      await pane.getByLabel("Password").fill("correct horse");
      await pane.getByRole("button", { name: "Sign in" }).click();
      await pane.getByText(`${name}, peer`).waitFor();
    }
    await bob.getByText("ann is online").waitFor();
    const id = await ann.getByRole("code").textContent();
    await ann.getByRole("button", { name: "Reload" }).click();
    await ann.getByText("bob is online").waitFor();
    expect(await ann.getByRole("code").textContent()).toBe(id);
    expect(await bob.getByRole("listitem").allTextContents()).toEqual([`ann is online, peer ${id}`]);
    await ann.getByRole("button", { name: "Sign out" }).click();
    await bob.getByText(`peer ${id} has left`).waitFor();
    await ann.getByRole("button", { name: "Reload" }).click();
    await ann.getByLabel("User name").waitFor();
  },
};

test.for(Object.keys(demos))("the demo of %s runs, in memory and with WebRTC", async (path) => {
  const { page, problems } = await openTab();
  const pane = (user: string) => page.locator(".demo article", { hasText: `${user}’s page` });
  await show(page, path);
  await demos[path]!(pane("Ann"), pane("Bob"));
  await page.getByLabel("Connect with WebRTC").check();
  await demos[path]!(pane("Ann"), pane("Bob"));
  const violations = await audit(page, ".demo");
  expect({ problems, violations }).toEqual({ problems: [], violations: [] });
  await page.close();
});

test("the demo of /recipes/own-accounts.html signs in with tokens, and shows friends to each other", async () => {
  const { page, problems } = await openTab();
  await show(page, "/recipes/own-accounts.html");
  const pane = (user: string) => page.locator(".demo article", { hasText: `${user}’s page` });
  const signIn = async (user: string, token: string) => {
    await pane(user).getByLabel("Token").fill(token);
    await pane(user).getByRole("button", { name: "Sign in" }).click();
  };
  await signIn("Ann", "no-token");
  await pane("Ann").getByRole("alert").getByText("unauthenticated").waitFor();
  await signIn("Ann", "token-1");
  await pane("Ann").getByText("Signed in as ann.").waitFor();
  await signIn("Bob", "token-2");
  await pane("Bob").getByText("Online: ann.").waitFor();
  await pane("Ann").getByText("Online: bob.").waitFor();
  await pane("Bob").getByRole("button", { name: "Sign out" }).click();
  await pane("Ann").getByText("No friend is online.").waitFor();
  await signIn("Bob", "token-3");
  await pane("Bob").getByText("Signed in as cyd.").waitFor();
  await pane("Bob").getByText("No friend is online.").waitFor();
  const violations = await audit(page, ".demo");
  expect({ problems, violations }).toEqual({ problems: [], violations: [] });
  await page.close();
});

test("the demo of /recipes/testing.html runs the test that the page shows", async () => {
  const { page, problems } = await openTab();
  await show(page, "/recipes/testing.html");
  const demo = page.locator(".demo");
  for (let runs = 0; runs < 2; runs++) {
    await demo.getByRole("button", { name: "Run the test" }).click();
    await demo
      .getByRole("status")
      .getByText(/^Passed in \d+ ms/)
      .waitFor();
    expect(await demo.getByRole("listitem").allTextContents()).toEqual([
      "✓ Bob’s reply: Friday",
      "✓ The error of the lost peer: disconnected",
      "✓ The virtual time in ms: 62000",
    ]);
  }
  const violations = await audit(page, ".demo");
  expect({ problems, violations }).toEqual({ problems: [], violations: [] });
  await page.close();
});

async function build(): Promise<void> {
  // Vitest's own NODE_ENV would build the theme for development.
  const options = { cwd: root, env: { ...process.env, NODE_ENV: "production", SITE_URL: published } };
  const run = (program: string, ...args: readonly string[]) =>
    promisify(execFile)(`${root}node_modules/.bin/${program}`, args, options);
  await run("typedoc", "--options", "docs/typedoc.config.mjs");
  await run("vitepress", "build", "docs");
}

type Pane = ReturnType<Page["locator"]>;

/** A tab, its console output so far, and its requests to other hosts so far. */
interface Tab {
  readonly page: Page;
  readonly problems: string[];
}

async function openTab(): Promise<Tab> {
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("console", (message) => problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(`Uncaught ${error.stack ?? error.message}`));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${site.origin}/`) && !/^(data|blob):/.test(url)) problems.push(`asks ${url}`);
  });
  return { page, problems };
}

/** Opens a page, and waits until its scripts run. */
async function show(page: Page, path: string): Promise<void> {
  await page.goto(site.origin + path);
  await page.waitForFunction(() => Reflect.has(document.querySelector("#app")!, "__vue_app__"));
}

/** Visits every page, several at a time. */
async function visitAll(paths: readonly string[]): Promise<readonly Visit[]> {
  const waiting = paths.toSorted();
  const done: Visit[] = [];
  const visitInTab = async (): Promise<void> => {
    const tab = await openTab();
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) done.push(await visit(tab, path));
    await tab.page.close();
  };
  await Promise.all(Array.from({ length: tabs }, visitInTab));
  return done;
}

async function visit({ page, problems }: Tab, path: string): Promise<Visit> {
  const part = kinds.includes(path) ? "body" : "#VPContent";
  await page.setViewportSize(phone);
  await page.emulateMedia({ colorScheme: "light" });
  await show(page, path);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  const light = await audit(page, part);

  await page.emulateMedia({ colorScheme: "dark" });
  await page.locator("html.dark").waitFor();
  if (!isAlike(path)) await page.setViewportSize(desktop);
  // Only colors have changed, except on a page whose sidebar has come into view.
  const rules = kinds.includes(path) ? {} : { runOnly: ["color-contrast", "link-in-text-block"] };
  const dark = isAlike(path) ? [] : await audit(page, part, rules);

  const [ids, links, sidebar] = await page.evaluate(() => {
    const linksIn = (selector: string) =>
      [...document.querySelectorAll<HTMLAnchorElement>(`${selector} a[href]`)].map(({ href }) => href);
    return [
      [...document.querySelectorAll("[id]")].map(({ id }) => id),
      linksIn("body"),
      linksIn(".VPSidebar"),
    ] as const;
  });
  return {
    path,
    problems: problems.splice(0),
    violations: [...light.map((line) => `in light: ${line}`), ...dark.map((line) => `in dark: ${line}`)],
    overflow,
    ids: new Set(ids),
    links,
    sidebar: sidebar.map(pathOf),
  };
}

/** What axe calls serious or critical in a part of the page. */
async function audit(page: Page, part: string, options: RunOptions = {}): Promise<readonly string[]> {
  return page.evaluate(
    async ([part, options]) => {
      const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
      const { violations } = await axe.run(part, { preload: false, resultTypes: ["violations"], ...options });
      return violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id} at ${target}`));
    },
    [part, options] as const,
  );
}

/** Saves screenshots of some pages in docs/img/. */
async function takeScreenshots(): Promise<void> {
  const { page } = await openTab();
  for (const [path, name] of Object.entries(pictures))
    for (const colorScheme of ["light", "dark"] as const)
      for (const [end, size] of [["", desktop] as const, ["-phone", phone] as const]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize(size);
        await show(page, path);
        // The demo of the page has loaded.
        await page.waitForLoadState("networkidle");
        await saveScreenshot(page, `site-${name}${end}${colorScheme === "dark" ? "-dark" : ""}`);
      }
  await page.close();
}

/** The path of the page that a link leads to. */
function pathOf(link: string): string {
  return new URL(link).pathname.replace(/\/$/, "/index.html");
}

function found(problemsOf: (visit: Visit) => readonly string[]): readonly string[] {
  return visits.flatMap((visit) => problemsOf(visit).map((problem) => `${visit.path}: ${problem}`));
}
