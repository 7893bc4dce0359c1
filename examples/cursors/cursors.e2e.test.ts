import { expect, test } from "vitest";
import type { Tab } from "../../tools/e2e.ts";
import { setUpExamples } from "../testing/example-pages.ts";

const example = setUpExamples("cursors");

test("a cursor follows its peer's pointer, and only the cursor renders", async () => {
  const ann = await example.open("cursors", "Ann");
  const oli = await example.open("cursors", "Oli");
  for (const { page } of [ann, oli]) await page.getByText(/^Other peers: 1/).waitFor();

  await moveUntilSeen(ann, oli, 20, 30);
  const stageBefore = await renders(oli, "small");
  const cursorBefore = await renders(oli, ".cursor");
  await moveUntilSeen(ann, oli, 60, 50);
  expect(await renders(oli, ".cursor")).toBeGreaterThan(cursorBefore);
  expect(await renders(oli, "small")).toBe(stageBefore);

  await moveUntilSeen(oli, ann, 30, 70);
  await example.screenshot("cursors", ann, oli);
});

/** Moves the pointer to a position, in percent of the area, and repeats it until the watcher shows it, because messages may be lost. */
async function moveUntilSeen(mover: Tab, watcher: Tab, x: number, y: number): Promise<void> {
  const area = await mover.page.locator(".stage").boundingBox();
  const { mouse } = mover.page;
  await mover.page.bringToFront();
  await expect
    .poll(
      async () => {
        await mouse.move(area!.x, area!.y);
        await mouse.move(area!.x + (x * area!.width) / 100, area!.y + (y * area!.height) / 100, { steps: 20 });
        return cursorPosition(watcher);
      },
      { timeout: 10_000 },
    )
    .toEqual([x, y]);
}

function cursorPosition({ page }: Tab): Promise<readonly number[]> {
  return page
    .locator(".cursor")
    .evaluate(({ style }) => [style.left, style.top].map((at) => Math.round(Number.parseFloat(at))));
}

async function renders({ page }: Tab, place: string): Promise<number> {
  return Number(/\d+/.exec(await page.locator(`${place} output`).innerText())![0]);
}
