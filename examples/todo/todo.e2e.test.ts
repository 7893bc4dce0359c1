import { expect, test } from "vitest";
import type { Tab } from "../../tools/e2e.ts";
import { setUpExamples } from "../testing/example-pages.ts";
import { firstItems } from "./seed.ts";

const example = setUpExamples("todo");

test("a list survives the reload of both pages in turn, and concurrent changes merge", async () => {
  const ann = await example.open("todo", "Ann", "#list");
  await add(ann, "Bread");
  await add(ann, "Olives");
  const oli = await example.open("todo", "Oli", "#list");
  await expect.poll(() => texts(oli)).toEqual([...firstItems, "Bread", "Olives"]);

  await Promise.all([add(oli, "Cheese"), ann.page.getByLabel("Done: Bread").check()]);
  for (const tab of [ann, oli]) {
    await expect.poll(() => texts(tab)).toEqual([...firstItems, "Bread", "Olives", "Cheese"]);
    await expect.poll(() => tab.page.getByLabel("Done: Bread").isChecked()).toBe(true);
  }
  for (const tab of [ann, oli]) {
    await tab.page.reload();
    await expect.poll(() => texts(tab)).toEqual([...firstItems, "Bread", "Olives", "Cheese"]);
    expect(await tab.page.getByLabel("Done: Bread").isChecked()).toBe(true);
  }

  await oli.page
    .getByLabel("Text", { exact: true })
    .nth(firstItems.length + 1)
    .fill("Green olives");
  await expect.poll(() => texts(ann)).toEqual([...firstItems, "Bread", "Green olives", "Cheese"]);
  await ann.page.getByText("Oli is editing").waitFor();
  await example.screenshot("todo", ann, oli);
  await ann.page.getByRole("button", { name: "Remove: Bread" }).click();
  await expect.poll(() => texts(oli)).toEqual([...firstItems, "Green olives", "Cheese"]);
});

async function add({ page }: Tab, text: string): Promise<void> {
  await page.getByLabel("New item").fill(text);
  await page.getByLabel("New item").press("Enter");
}

function texts({ page }: Tab): Promise<readonly string[]> {
  return page
    .getByLabel("Text", { exact: true })
    .evaluateAll((all) => all.map((one) => (one as HTMLInputElement).value));
}
