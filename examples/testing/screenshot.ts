import { fileURLToPath } from "node:url";
import type { Tab, TestBrowser } from "../../tools/e2e.ts";

const folder = fileURLToPath(new URL("../../docs/img/", import.meta.url));
const width = 540;
const gap = 12;

/** If the variable `SCREENSHOTS` is set, saves a screenshot of the pages side by side in docs/img/. */
export async function takeScreenshot(browser: TestBrowser, name: string, tabs: readonly Tab[]): Promise<void> {
  if (!process.env["SCREENSHOTS"]) return;
  const height = Math.max(...(await Promise.all(tabs.map(heightOf))));
  const images: string[] = [];
  for (const { page } of tabs) {
    await page.setViewportSize({ width, height });
    const shot = await page.screenshot();
    images.push(`<img src="data:image/png;base64,${shot.toString("base64")}">`);
  }
  const style = `body { margin: 0; padding: ${gap}px; display: flex; gap: ${gap}px; background: #26322e }
    img { display: block; border-radius: 10px }`;
  const frame = await browser.open({ html: `<!doctype html><style>${style}</style>${images.join("")}` });
  await frame.page.setViewportSize({ width: tabs.length * (width + gap) + gap, height: height + 2 * gap });
  await frame.page.screenshot({ path: `${folder}${name}.png` });
  await frame.close();
}

/** The height of the page's content at the screenshot's width, in CSS pixels. */
async function heightOf({ page }: Tab): Promise<number> {
  await page.setViewportSize({ width, height: 400 });
  return page.evaluate(() => Math.ceil(document.querySelector("main")!.getBoundingClientRect().bottom) + 20);
}
