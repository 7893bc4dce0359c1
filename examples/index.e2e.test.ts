import { expect, test } from "vitest";
import { exampleOf } from "./testing/example.ts";

const example = exampleOf();

test("the index leads to every example, and each signs in by itself", async () => {
  const { page } = await example.index();
  const links = await page
    .locator("main a")
    .evaluateAll((all) => all.map((link) => new URL((link as HTMLAnchorElement).href).pathname));
  expect(links).toHaveLength(11);
  await example.picture("examples", await example.index());
  for (const link of links) {
    await page.goto(new URL(link, page.url()).href);
    await page.getByText(/^(Ann|Mia), online$/).waitFor();
  }
});
