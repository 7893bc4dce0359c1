import { readFileSync } from "node:fs";
import { type BrowserContext, chromium, type Page } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chromiumContext, chromiumLaunch, shellLaunch } from "../../tools/chromium.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { type StaticSite, serveSite } from "../../tools/static-site.ts";

let server: ServerProcess;
let site: StaticSite;
let context: BrowserContext;
let close: () => Promise<void>;

beforeAll(async () => {
  const browser = await chromium.launch(shellLaunch());
  close = () => browser.close();
  [server, site, context] = await Promise.all([
    startServer({
      accounts: { ann: "correct horse", bob: "correct horse" },
      trust: [["ann", "Bob", "bob", "Ann"]],
      options: { rooms: true, origins: ["loopback", "null"] },
    }),
    serveSite(),
    browser.newContext(chromiumContext),
  ]);
});
afterAll(() => Promise.all([close(), server.stop(), site.close()]));

/** A page that resumes, and whose client and events a test reads. `load` defines `createClient`. */
function pageOf(remember: string, load = 'import { createClient } from "/dist/browser.js";'): string {
  return `<!doctype html>
<meta charset="utf-8">
<title>Staying signed in</title>
<link rel="icon" href="data:,">
<script type="module">
${load}
const client = (window.client = createClient({ remember: ${JSON.stringify(remember)} }));
const events = (window.events = []);
for (const event of ["connect", "disconnect", "peerconnect", "peerdisconnect"]) {
  client.on(event, (about) => events.push(event + " " + (about?.id ?? about?.code ?? about ?? "")));
}
client.module("Echo", ({ request }) => "Not " + request);
addEventListener("pageshow", ({ persisted }) => (window.persisted = persisted));
window.resumed = client.resume().catch(({ code }) => code);
</script>`;
}

const idOf = (page: Page): Promise<string> => page.evaluate(() => (globalThis as any).client.getId());
const eventsOf = (page: Page): Promise<string[]> => page.evaluate(() => (globalThis as any).events);

/** What `resume` of a page resolves to, or the code of its error. */
async function resumed(page: Page): Promise<unknown> {
  await page.waitForFunction(() => (globalThis as any).resumed);
  return page.evaluate(() => (globalThis as any).resumed);
}

async function open(url: string, within = context): Promise<Page> {
  const page = await within.newPage();
  await page.goto(url);
  return page;
}

/** Opens a page and signs in there. Resolves once what the next page needs is stored. */
async function signIn(username: string, remember: string, within = context): Promise<Page> {
  const page = await open(site.add(pageOf(remember)), within);
  expect(await resumed(page)).toBe(false);
  await page.evaluate(
    ([host, username]) => (globalThis as any).client.connect(host, username, "correct horse"),
    [server.url, username],
  );
  await page.waitForFunction(() => sessionStorage.length > 0);
  return page;
}

/** Calls Echo at a user. Resolves to the time of the reply since the page's navigation began, in ms. */
function callAfterLoad(page: Page, user: string): Promise<number> {
  return page.evaluate(async (user) => {
    await (globalThis as any).resumed;
    const reply = await (globalThis as any).client.get(user).call("Echo", "Friday").first();
    if (reply !== "Not Friday") throw new Error(`Unexpected reply: ${reply}`);
    return performance.now();
  }, user);
}

test("a page that is reloaded is the same peer, others see no event, and it calls again soon", async () => {
  const [bob, ann] = [await signIn("bob", "tab"), await signIn("ann", "tab")];
  const id = await idOf(ann);
  await callAfterLoad(ann, "Bob");
  const before = await eventsOf(bob);
  const times: number[] = [];
  for (let reload = 0; reload < 10; reload++) {
    await ann.reload();
    times.push(await callAfterLoad(ann, "Bob"));
    expect(await idOf(ann)).toBe(id);
    await callAfterLoad(bob, "Ann");
  }
  expect(await eventsOf(bob)).toEqual(before);
  times.sort((a, b) => a - b);
  console.info(
    `reload with remember: "tab", until a call succeeds: median ${Math.round(times[5]!)} ms, maximum ${Math.round(times[9]!)} ms`,
  );
  await ann.close();
  await bob.waitForFunction((id) => (globalThis as any).events.includes(`peerdisconnect ${id}`), id);
  await bob.close();
});

test("a page that navigates to another page of its site stays the same peer", async () => {
  const ann = await signIn("ann", "tab");
  const id = await idOf(ann);
  await ann.goto(site.add(pageOf("tab")));
  expect([await resumed(ann), await idOf(ann)]).toEqual([true, id]);
  await ann.close();
});

test("of tabs that are duplicated ten times in a row each is a peer, and the first stays online", async () => {
  const [bob, ann] = [await signIn("bob", "tab"), await signIn("ann", "tab")];
  const ids = new Set([await idOf(ann)]);
  const copies: Page[] = [];
  for (let copy = 0; copy < 10; copy++) {
    // A window that a page opens has a copy of its sessionStorage.
    const opener = copies.at(-1) ?? ann;
    const popup = opener.waitForEvent("popup");
    await opener.evaluate(() => void window.open(location.href));
    copies.push(await popup);
    expect(await resumed(copies.at(-1)!)).toBe(true);
    ids.add(await idOf(copies.at(-1)!));
  }
  expect(ids.size).toBe(11);
  const online = () => bob.evaluate(() => (globalThis as any).client.peers.peek().map(({ id }: { id: string }) => id));
  await expect.poll(async () => new Set(await online())).toEqual(ids);
  const last = copies.at(-1)!;
  const id = await idOf(last);
  await last.reload();
  expect([await resumed(last), await idOf(last)]).toEqual([true, id]);
  expect((await eventsOf(ann)).filter((event) => event.startsWith("disconnect"))).toEqual([]);
  for (const page of [...copies, ann, bob]) await page.close();
});

test("a page that returns from the back/forward cache is the same peer", async () => {
  // The headless shell has no back/forward cache, and Playwright turns that of Chromium off.
  const browser = await chromium.launch({ ...chromiumLaunch(), ignoreDefaultArgs: ["--disable-back-forward-cache"] });
  const withCache = await browser.newContext(chromiumContext);
  const [bob, ann] = [await signIn("bob", "tab", withCache), await signIn("ann", "tab", withCache)];
  const id = await idOf(ann);
  await ann.goto(site.add("<!doctype html><title>Another page</title>"));
  await ann.goBack({ waitUntil: "commit" });
  await ann.waitForFunction(() => (globalThis as any).client?.status.peek() === "online");
  expect(await ann.evaluate(() => (globalThis as any).persisted)).toBe(true);
  expect(await idOf(ann)).toBe(id);
  await callAfterLoad(bob, "Ann");
  expect((await eventsOf(bob)).filter((event) => event === `peerdisconnect ${id}`)).toEqual([]);
  await browser.close();
});

test("signOut in one tab of a device ends the others, and nothing can be resumed", async () => {
  const first = await signIn("ann", "device");
  const url = first.url();
  const second = await open(url);
  expect(await resumed(second)).toBe(true);
  expect(await idOf(second)).not.toBe(await idOf(first));
  await first.evaluate(() => (globalThis as any).client.signOut());
  await second.waitForFunction(() => (globalThis as any).events.includes("disconnect unauthenticated"));
  for (const page of [first, second]) {
    await page.reload();
    expect(await resumed(page)).toBe(false);
    await page.close();
  }
});

test("a guest of a room is the same peer after a reload", async () => {
  const guest = await open(site.add(pageOf("tab")));
  await resumed(guest);
  await guest.evaluate((host) => (globalThis as any).client.connect(host, { room: "demo", name: "Ann" }), server.url);
  await guest.waitForFunction(() => sessionStorage.length > 0);
  const id = await idOf(guest);
  await guest.reload();
  expect(await resumed(guest)).toBe(true);
  expect(await guest.evaluate(() => (globalThis as any).client.self.peek())).toEqual({
    id,
    username: "Ann",
    room: "demo",
  });
  await guest.close();
});

test("a stored session that was tampered with is forgotten", async () => {
  const ann = await signIn("ann", "tab");
  for (const tamper of [
    (text: string) => text.slice(1),
    (text: string) => text.replace(/"session":"./, '"session":"?'),
  ]) {
    await ann.evaluate((text) => sessionStorage.setItem("bonevalue:", text), tamper(await stored(ann)));
    await ann.reload();
    expect(await resumed(ann)).toBe(false);
    await ann.evaluate((host) => (globalThis as any).client.connect(host, "ann", "correct horse"), server.url);
    await ann.waitForFunction(() => sessionStorage.getItem("bonevalue:")?.startsWith('{"host"'));
  }
  await ann.close();
});

test("resume rejects with `unreachable` while the server is down, and signs in once it is back", async () => {
  const ann = await signIn("ann", "tab");
  const text = await stored(ann);
  await ann.evaluate((text) => sessionStorage.setItem("bonevalue:", text), text.replace(/:\d+/, ":1"));
  await ann.reload();
  expect(await resumed(ann)).toBe("unreachable");
  expect(await stored(ann)).toContain(":1");
  await ann.evaluate((text) => sessionStorage.setItem("bonevalue:", text), text);
  expect(await ann.evaluate(() => (globalThis as any).client.resume())).toBe(true);
  await ann.close();
});

test("a page whose storages throw a SecurityError signs in, and resumes nothing", async () => {
  const script = JSON.stringify(readFileSync(new URL("../../dist/browser.js", import.meta.url), "utf8"));
  const load = `const script = ${script.replaceAll("<", "\\u003c")};
const { createClient } = await import("data:text/javascript," + encodeURIComponent(script));`;
  // A sandboxed page has an origin of its own without storage.
  const page = await open(site.add(pageOf("device", load), { "content-security-policy": "sandbox allow-scripts" }));
  const storage = () => {
    try {
      return String(sessionStorage);
    } catch (error) {
      return (error as Error).name;
    }
  };
  expect(await page.evaluate(storage)).toBe("SecurityError");
  expect(await resumed(page)).toBe(false);
  await page.evaluate((host) => (globalThis as any).client.connect(host, "ann", "correct horse"), server.url);
  await page.evaluate(() => (globalThis as any).client.signOut());
  expect(await page.evaluate(() => (globalThis as any).client.status.peek())).toBe("offline");
  await page.close();
});

function stored(page: Page): Promise<string> {
  return page.evaluate(() => sessionStorage.getItem("bonevalue:")!);
}
