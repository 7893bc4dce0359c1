import { expect, test } from "vitest";
import type { Tab } from "../../tools/e2e.ts";
import { setUpExamples } from "../testing/example-pages.ts";

const example = setUpExamples("yjs");

test("earlier text and concurrent edits are the same on both sides", async () => {
  const ann = await example.open("yjs", "Ann");
  await text(ann).fill("Bread\nEggs\n");
  const oli = await example.open("yjs", "Oli");
  await expect.poll(() => text(oli).inputValue()).toBe("Bread\nEggs\n");

  await text(oli).press("Control+End");
  await text(ann).press("Control+Home");
  await Promise.all([text(ann).pressSequentially("For Sunday:\n"), text(oli).pressSequentially("Olives\n")]);
  for (const tab of [ann, oli]) {
    await expect.poll(() => text(tab).inputValue()).toBe("For Sunday:\nBread\nEggs\nOlives\n");
  }
  await example.screenshot("yjs", ann, oli);
});

function text({ page }: Tab) {
  return page.getByLabel("Shared text");
}
