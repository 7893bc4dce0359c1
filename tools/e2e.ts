import { EventEmitter, once } from "node:events";
import { chromium, type Page } from "playwright";
import { chromiumContext, shellLaunch } from "./chromium.ts";
import { serveSite } from "./static-site.ts";

/** A Chromium, and a web server for its pages: dist/, examples/ and HTML that a test provides. */
export interface TestBrowser {
  /** The origin of the web server, `http://127.0.0.1:…`. */
  readonly origin: string;
  /** Opens a new tab. Tabs share one browser context, unless `isolated` is set. */
  open(page: PageSource, options?: { readonly isolated?: boolean }): Promise<Tab>;
  /** Closes every tab, the browser and the web server. */
  close(): Promise<void>;
}

/** A path such as `/examples/echo/index.html`, a URL, or HTML. */
export type PageSource = string | { readonly html: string; readonly headers?: Readonly<Record<string, string>> };

/** A tab and its console output. */
export interface Tab {
  readonly page: Page;
  /** The lines of its console so far. Uncaught errors appear as `Uncaught …`. */
  readonly lines: readonly string[];
  /** Waits for the first line that matches, including earlier lines. Waits until the test times out. */
  waitForLine(line: string | RegExp): Promise<string>;
  close(): Promise<void>;
}

/** Starts the browser and the web server. The caller closes them in `afterAll`. */
export async function launch(): Promise<TestBrowser> {
  const [browser, site] = await Promise.all([chromium.launch(shellLaunch()), serveSite()]);
  const shared = await browser.newContext(chromiumContext);

  return {
    origin: site.origin,
    async open(source, { isolated = false } = {}) {
      const context = isolated ? await browser.newContext(chromiumContext) : shared;
      const tab = createTab(await context.newPage());
      const url = typeof source === "string" ? source : site.add(source.html, source.headers);
      await tab.page.goto(new URL(url, site.origin).href);
      return tab;
    },
    async close() {
      await browser.close();
      await site.close();
    },
  };
}

function createTab(page: Page): Tab {
  const lines: string[] = [];
  const events = new EventEmitter().setMaxListeners(0);
  const addLine = (line: string): void => {
    lines.push(line);
    events.emit("line");
  };
  page.on("console", (message) => addLine(message.text()));
  page.on("pageerror", (error) => addLine(`Uncaught ${error.stack ?? error.message}`));

  return {
    page,
    lines,
    async waitForLine(pattern) {
      for (;;) {
        const line = lines.find((line) => (typeof pattern === "string" ? line.includes(pattern) : pattern.test(line)));
        if (line !== undefined) return line;
        await once(events, "line");
      }
    },
    close: () => page.close(),
  };
}
