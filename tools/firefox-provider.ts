import { defineBrowserProvider } from "@vitest/browser";
import type { Browser, Page } from "puppeteer-core";
import type { BrowserProviderOption } from "vitest/node";

/** Runs browser tests in Debian's Firefox. Vitest's own providers need a patched Firefox, or geckodriver. */
export function firefox(): BrowserProviderOption {
  return defineBrowserProvider({
    name: "firefox",
    supportedBrowser: ["firefox"],
    providerFactory() {
      let browser: Promise<Browser> | undefined;
      const pages = new Map<string, Page>();
      return {
        name: "firefox",
        supportsParallelism: false,
        getCommandsContext: () => ({}),
        async openPage(sessionId, url) {
          browser ??= import("./firefox.ts").then(({ launchFirefox }) => launchFirefox());
          const page = await (await browser).newPage();
          await pages.get(sessionId)?.close();
          pages.set(sessionId, page);
          await page.goto(url);
        },
        async close() {
          await (await browser)?.close();
          browser = undefined;
        },
      };
    },
  });
}
