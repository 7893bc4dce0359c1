import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { launch, type Tab, type TestBrowser } from "../../tools/e2e.ts";
import { type ExampleServer, serveExamples } from "./example-server.ts";
import { takeScreenshot } from "./screenshot.ts";

/** Browser pages of the examples, for the tests of one file. */
export interface ExamplePages {
  /** Opens a page and waits until it is signed in as `who`. `hash` is the URL's fragment. The page is closed after its test. */
  open(path: string, who: string, hash?: string): Promise<Tab>;
  /** As `open`, in a browser context of its own: another device. */
  openDevice(path: string, who: string): Promise<Tab>;
  /** Opens the page that lists all examples. It is closed after its test. */
  index(): Promise<Tab>;
  /** See {@link takeScreenshot}. */
  screenshot(name: string, ...tabs: readonly Tab[]): Promise<void>;
}

/** Serves the examples in `folders`, or all, for the tests of one file. A test fails if a page logs to its console. */
export function setUpExamples(...folders: readonly string[]): ExamplePages {
  let browser: TestBrowser;
  let served: ExampleServer;
  const tabs: Tab[] = [];

  beforeAll(async () => {
    [browser, served] = await Promise.all([launch(), serveExamples(...folders)]);
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    expect(await served.close()).toBe(0);
  });
  afterEach(async () => {
    const opened = tabs.splice(0);
    for (const tab of opened) await tab.close();
    expect(opened.flatMap(({ lines }) => lines)).toEqual([]);
  });

  async function show(path: string, isolated = false): Promise<Tab> {
    const tab = await browser.open(served.url + path, { isolated });
    tabs.push(tab);
    return tab;
  }

  async function signedIn(tab: Tab, who: string): Promise<Tab> {
    await tab.page.getByText(`${who}, online`, { exact: true }).waitFor();
    return tab;
  }

  return {
    index: () => show(""),
    open: async (path, who, hash = "") => signedIn(await show(`${path}/?as=${who}${hash}`), who),
    openDevice: async (path, who) => signedIn(await show(`${path}/?as=${who}`, true), who),
    screenshot: (name, ...shown) => takeScreenshot(browser, name, shown),
  };
}
