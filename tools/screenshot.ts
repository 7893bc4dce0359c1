import { writeFile } from "node:fs/promises";
import type { Page } from "playwright";
import { root } from "./entries.ts";

/** Saves what the window shows in docs/img/, as WebP, which keeps the repository small. */
export async function saveScreenshot(page: Page, name: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: 80 });
  await writeFile(`${root}docs/img/${name}.webp`, data, "base64");
}
