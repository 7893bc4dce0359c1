import type { Page } from "playwright";
import type { Tab, TestBrowser } from "../../tools/e2e.ts";
import { saveScreenshot } from "../../tools/screenshot.ts";

const gap = 12;

// The width of pages side by side, and of one page alone, which then has its code beside it.
const desktop = 540;
const wide = 1_280;

/** The variants of each screenshot: the end of its name, the color scheme, and the width of a page. */
const variants = [
  ["", "light", desktop],
  ["-phone", "light", 360],
  ["-dark", "dark", desktop],
] as const;

/** If the variable `SCREENSHOTS` is set, saves screenshots of the pages side by side in docs/img/: in light, dark, and as on phones. */
export async function takeScreenshot(browser: TestBrowser, name: string, tabs: readonly Tab[]): Promise<void> {
  if (!process.env["SCREENSHOTS"]) return;
  for (const variant of variants) await takeVariant(browser, name, tabs, variant);
  for (const { page } of tabs) {
    await page.emulateMedia({ colorScheme: null });
    await showSource(page, true);
    await page.setViewportSize({ width: 1_280, height: 720 });
  }
}

async function takeVariant(
  browser: TestBrowser,
  name: string,
  tabs: readonly Tab[],
  [end, colorScheme, narrow]: (typeof variants)[number],
): Promise<void> {
  const width = narrow === desktop && tabs.length === 1 ? wide : narrow;
  for (const { page } of tabs) {
    await page.emulateMedia({ colorScheme });
    // Below a page, its code would be cut off.
    await showSource(page, width === wide);
  }
  const height = Math.max(...(await Promise.all(tabs.map((tab) => heightOf(tab, width)))));
  const images: string[] = [];
  for (const { page } of tabs) {
    await page.setViewportSize({ width, height });
    await page.bringToFront();
    await page.waitForFunction(havePicturesOf, colorScheme);
    const shot = await page.screenshot();
    images.push(`<img src="data:image/png;base64,${shot.toString("base64")}">`);
  }
  const style = `body { margin: 0; padding: ${gap}px; display: flex; gap: ${gap}px; background: #26322e }
    img { display: block; width: ${width}px; border-radius: 10px }`;
  const frame = await browser.open({ html: `<!doctype html><style>${style}</style>${images.join("")}` });
  await frame.page.setViewportSize({ width: tabs.length * (width + gap) + gap, height: height + 2 * gap });
  await saveScreenshot(frame.page, name + end);
  await frame.close();
}

/** Runs in the page: whether its pictures are those of the color scheme, whose names end in `-dark` in the dark one. */
function havePicturesOf(colorScheme: string): boolean {
  const pictures = [...document.querySelectorAll<HTMLImageElement>("picture img")];
  return pictures.every(
    ({ complete, currentSrc }) => complete && /-dark\b/.test(currentSrc) === (colorScheme === "dark"),
  );
}

function showSource(page: Page, isShown: boolean): Promise<void> {
  return page.evaluate(
    (visibility) => {
      document.querySelector<HTMLElement>(".source")?.style.setProperty("visibility", visibility);
    },
    isShown ? "visible" : "hidden",
  );
}

/** The height of the page's content at the screenshot's width, in CSS pixels. */
async function heightOf({ page }: Tab, width: number): Promise<number> {
  await page.setViewportSize({ width, height: 400 });
  return page.evaluate(() => Math.ceil(document.querySelector("main")!.getBoundingClientRect().bottom) + 20);
}
