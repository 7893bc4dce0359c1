import { expect, test } from "vitest";
import type { Tab } from "../../tools/e2e.ts";
import { setUpExamples } from "../testing/example-pages.ts";

const example = setUpExamples("whiteboard");

/** The number of lines on a new board. */
const seeded = 2;

test("pointers and lines are seen while they are drawn, and a late joiner gets all lines", async () => {
  const ann = await example.open("whiteboard", "Ann", "#board");
  const oli = await example.open("whiteboard", "Oli", "#board");
  await draw(ann, hut);
  await board(oli, seeded + 1).waitFor();
  await draw(oli, cloud);
  await board(ann, seeded + 2).waitFor();

  await moveTo(oli, [0.62, 0.3]);
  await expect.poll(() => pointers(ann).allTextContents()).toEqual(["Oli"]);
  await ann.page.bringToFront();
  await moveTo(ann, [0.2, 0.8]);
  await ann.page.mouse.down();
  for (const point of grass) await moveTo(ann, point);
  await expect.poll(() => pointers(oli).count()).toBe(1);
  await expect.poll(() => oli.page.locator(".pointer .stroke").getAttribute("points")).toMatch(/^\S+( \S+){5,}/);
  await example.screenshot("whiteboard", ann, oli);
  await ann.page.mouse.up();

  const late = await example.open("whiteboard", "Oli", "#board");
  await board(late, seeded + 3).waitFor();
  await late.page.getByRole("button", { name: "Clear the board" }).click();
  await board(ann, 0).waitFor();
});

type Point = readonly [x: number, y: number];
const hut: readonly Point[] = [
  [0.3, 0.8],
  [0.3, 0.5],
  [0.42, 0.32],
  [0.54, 0.5],
  [0.54, 0.8],
  [0.3, 0.8],
];
const cloud: readonly Point[] = Array.from({ length: 25 }, (_, step) => [
  0.62 + step / 100,
  0.25 - 0.07 * Math.abs(Math.sin((step * Math.PI) / 8)),
]);
const grass: readonly Point[] = Array.from({ length: 14 }, (_, step) => [0.2 + step / 20, 0.86 + (step % 2) * 0.03]);

async function draw(tab: Tab, points: readonly Point[]): Promise<void> {
  await tab.page.bringToFront();
  await moveTo(tab, points[0]!);
  await tab.page.mouse.down();
  for (const point of points) await moveTo(tab, point);
  await tab.page.mouse.up();
}

async function moveTo({ page }: Tab, [x, y]: Point): Promise<void> {
  const area = (await page.locator(".board").boundingBox())!;
  await page.mouse.move(area.x + x * area.width, area.y + y * area.height);
}

function board({ page }: Tab, lines: number) {
  return page.getByRole("img", { name: `Whiteboard, ${lines} lines` });
}

function pointers({ page }: Tab) {
  return page.locator(".pointer text");
}
