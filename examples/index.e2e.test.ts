import { expect, test } from "vitest";
import { setUpExamples } from "./testing/example-pages.ts";

const example = setUpExamples();

test("the index links to every example, and each example signs in and shows its code", async () => {
  const { page } = await example.index();
  const links = await page
    .locator("main a")
    .evaluateAll((all) => all.map((link) => new URL((link as HTMLAnchorElement).href).pathname));
  expect(links).toHaveLength(13);
  await example.screenshot("examples", await example.index());
  for (const link of links) {
    await page.goto(new URL(link, page.url()).href);
    await page.getByText(/^(Ann|Mia), online$/).waitFor();
    await page.getByText("The code of this page").waitFor();
    expect(await page.locator(".source code").allTextContents()).toContainEqual(expect.stringContaining("bonevalue"));
  }
});
