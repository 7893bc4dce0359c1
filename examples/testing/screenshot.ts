import { fileURLToPath } from "node:url";
import type { Tab, TestBrowser } from "../../tools/e2e.ts";

const folder = fileURLToPath(new URL("../../docs/img/", import.meta.url));
const gap = 12;

/** The variants of each screenshot: the end of its name, the color scheme, and the width of a page. */
const variants = [
  ["", "light", 540],
  ["-dark", "dark", 540],
  ["-phone", "light", 360],
] as const;

/** If the variable `SCREENSHOTS` is set, saves screenshots of the pages side by side in docs/img/: in light, dark, and as on phones. */
export async function takeScreenshot(browser: TestBrowser, name: string, tabs: readonly Tab[]): Promise<void> {
  if (!process.env["SCREENSHOTS"]) return;
  for (const variant of variants) await takeVariant(browser, name, tabs, variant);
  for (const { page } of tabs) {
    await page.emulateMedia({ colorScheme: null });
    await page.setViewportSize({ width: 1_280, height: 720 });
  }
}

async function takeVariant(
  browser: TestBrowser,
  name: string,
  tabs: readonly Tab[],
  [end, colorScheme, width]: (typeof variants)[number],
): Promise<void> {
  for (const { page } of tabs) await page.emulateMedia({ colorScheme });
  const height = Math.max(...(await Promise.all(tabs.map((tab) => heightOf(tab, width)))));
  const images: string[] = [];
  for (const { page } of tabs) {
    await page.setViewportSize({ width, height });
    await page.bringToFront();
    const shot = await page.screenshot();
    images.push(`<img src="data:image/png;base64,${shot.toString("base64")}">`);
  }
  const style = `body { margin: 0; padding: ${gap}px; display: flex; gap: ${gap}px; background: #26322e }
    img { display: block; width: ${width}px; border-radius: 10px }`;
  const frame = await browser.open({ html: `<!doctype html><style>${style}</style>${images.join("")}` });
  await frame.page.setViewportSize({ width: tabs.length * (width + gap) + gap, height: height + 2 * gap });
  await frame.page.screenshot({ path: `${folder}${name}${end}.png` });
  await frame.close();
}

/** The height of the page's content at the screenshot's width, in CSS pixels. */
async function heightOf({ page }: Tab, width: number): Promise<number> {
  await page.setViewportSize({ width, height: 400 });
  return page.evaluate(() => Math.ceil(document.querySelector("main")!.getBoundingClientRect().bottom) + 20);
}
