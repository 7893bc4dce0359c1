import type { Page } from "playwright";
import puppeteer, { type Browser } from "puppeteer-core";
import { chromiumLaunch } from "../../tools/chromium.ts";
import { type BenchEnvironment, bundle, createPair, serveSite, urlOf } from "../environment.ts";
import { startServerUnderTest } from "../server/server-under-test.ts";

const unlimited = { bytesPerSecond: 1e12, burst: 1e12 };

/** Starts two Chromiums, and a discovery server with a relay in a process of its own. The caller closes them. */
export async function openRelayEnvironment(): Promise<BenchEnvironment> {
  const [site, server, ...browsers] = await Promise.all([
    bundle().then((script) => serveSite(script)),
    startServerUnderTest("bonevalue", { store: ":memory:", rooms: true, relay: unlimited }),
    launch(),
    launch(),
  ]);

  async function open(browser: Browser): Promise<Page> {
    const page = await browser.newPage();
    page.on("pageerror", (error) => console.error(error));
    await page.goto(`${urlOf(site)}?${new URLSearchParams({ server: server.url })}`);
    // For what the bench does with it, the page of Puppeteer is that of Playwright.
    return page as unknown as Page;
  }

  return {
    version: (await browsers[0].version()).replace(/^.*\//, ""),
    async pair(name) {
      const [caller, callee] = await Promise.all([open(browsers[0]), open(browsers[1])]);
      return createPair(name, caller, callee);
    },
    async close() {
      await Promise.all(browsers.map((browser) => browser.close()));
      await server.kill();
      site.closeAllConnections();
      site.close();
    },
  };
}

/** Playwright lets the browser report each message of a WebSocket to it, which costs more than the message. */
function launch(): Promise<Browser> {
  return puppeteer.launch({ ...chromiumLaunch(), networkEnabled: false });
}
