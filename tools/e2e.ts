import { EventEmitter, once } from "node:events";
import { chromium, type Page } from "playwright";
import { chromiumContext, chromiumLaunch } from "./chromium.ts";
import { serveSite } from "./static-site.ts";

/** A real Chromium, and a site for its pages: dist/, examples/ and whatever HTML a test hands in. */
export interface Stage {
  /** `http://127.0.0.1:…` of the site. */
  readonly origin: string;
  /** A new tab. Tabs share one browser context, unless `apart`. */
  open(page: PageSource, options?: { readonly apart?: boolean }): Promise<Tab>;
  /** Closes every tab, the browser and the site. */
  close(): Promise<void>;
}

/** A path of the site such as `/examples/echo/index.html`, a whole URL, or a page of its own. */
export type PageSource = string | { readonly html: string; readonly headers?: Readonly<Record<string, string>> };

/** One tab and what it has said. */
export interface Tab {
  readonly page: Page;
  /** Every line of its console so far, and errors that nothing caught as `Uncaught …`. */
  readonly lines: readonly string[];
  /** Resolves with the first line, said already or to come, that matches. The test's own time-out is the limit. */
  says(line: string | RegExp): Promise<string>;
  close(): Promise<void>;
}

/** Opens the stage. The caller closes it, in `afterAll`. */
export async function launch(): Promise<Stage> {
  const [browser, site] = await Promise.all([chromium.launch(chromiumLaunch()), serveSite()]);
  const shared = await browser.newContext(chromiumContext);

  return {
    origin: site.origin,
    async open(source, { apart = false } = {}) {
      const context = apart ? await browser.newContext(chromiumContext) : shared;
      const tab = listenTo(await context.newPage());
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

function listenTo(page: Page): Tab {
  const lines: string[] = [];
  const heard = new EventEmitter().setMaxListeners(0);
  const hear = (line: string): void => {
    lines.push(line);
    heard.emit("line");
  };
  page.on("console", (message) => hear(message.text()));
  page.on("pageerror", (error) => hear(`Uncaught ${error.stack ?? error.message}`));

  return {
    page,
    lines,
    async says(wanted) {
      for (;;) {
        const line = lines.find((line) => (typeof wanted === "string" ? line.includes(wanted) : wanted.test(line)));
        if (line !== undefined) return line;
        await once(heard, "line");
      }
    },
    close: () => page.close(),
  };
}
