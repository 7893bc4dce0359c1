import { expect, test } from "vitest";
import type { Tab } from "../../tools/e2e.ts";
import { exampleOf } from "../testing/example.ts";

const example = exampleOf("cursors");

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
  await example.picture("cursors", ann, oli);
});

/** Moves one's pointer to a place, in percent of the stage. Messages may be lost: it goes there until the other has seen it. */
async function moveUntilSeen(mover: Tab, watcher: Tab, x: number, y: number): Promise<void> {
  const stage = await mover.page.locator(".stage").boundingBox();
  const { mouse } = mover.page;
  await mover.page.bringToFront();
  await expect
    .poll(
      async () => {
        await mouse.move(stage!.x, stage!.y);
        await mouse.move(stage!.x + (x * stage!.width) / 100, stage!.y + (y * stage!.height) / 100, { steps: 20 });
        return placeOf(watcher);
      },
      { timeout: 10_000 },
    )
    .toEqual([x, y]);
}

function placeOf({ page }: Tab): Promise<readonly number[]> {
  return page
    .locator(".cursor")
    .evaluate(({ style }) => [style.left, style.top].map((at) => Math.round(Number.parseFloat(at))));
}

async function renders({ page }: Tab, place: string): Promise<number> {
  return Number(/\d+/.exec(await page.locator(`${place} output`).innerText())![0]);
}
