import type { Browser, Page } from "puppeteer-core";
import { afterAll, beforeAll } from "vitest";
import { missingPrograms } from "../../tools/ensure.ts";
import { launchFirefox } from "../../tools/firefox.ts";
import { skipAll } from "../../tools/skip-all.ts";
import { type StaticSite, serveSite } from "../../tools/static-site.ts";
import { algorithmsOf, buildAlgorithmsPage } from "./testing/page-algorithms.ts";
import { testVectors } from "./testing/vector-tests.ts";

const trouble = missingPrograms("firefox");
let browser: Browser | undefined;
let site: StaticSite | undefined;
let page: Page;

skipAll(trouble);

beforeAll(async () => {
  if (trouble) return;
  [browser, site] = await Promise.all([launchFirefox(), serveSite()]);
  page = await browser.newPage();
  await page.goto(site.add(await buildAlgorithmsPage()));
  await page.waitForFunction("globalThis.runAlgorithm");
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await site?.close();
});

for (const kind of ["platform", "fallback"] as const) {
  const name = { platform: "WebCrypto in Firefox", fallback: "@noble in Firefox" }[kind];
  testVectors(name, async () => algorithmsOf(kind, (expression) => page.evaluate(expression)));
}
