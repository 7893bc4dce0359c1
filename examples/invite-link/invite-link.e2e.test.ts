import { expect, test } from "vitest";
import type { Tab } from "../../tools/e2e.ts";
import { setUpExamples } from "../testing/example-pages.ts";

const example = setUpExamples("invite-link");

test("a link establishes trust between two accounts, works once, and either side can end the trust", async () => {
  const mia = await example.open("invite-link", "Mia");
  expect(await people(mia).count()).toBe(0);
  await mia.page.getByLabel("Your name for them").fill("Noa");
  await mia.page.getByRole("button", { name: "Create a link" }).click();
  const link = await mia.page.getByRole("link", { name: "The link for Noa" }).getAttribute("href");
  const { hash } = new URL(link!);

  const noa = await example.open("invite-link", "Noa", hash);
  await noa.page.getByRole("button", { name: "Accept Mia’s invitation" }).click();
  await people(noa).filter({ hasText: "Mia 1 online" }).waitFor();
  await people(mia).filter({ hasText: "Noa 1 online" }).waitFor();
  await people(mia).getByRole("button", { name: "Wave" }).click();
  await noa.page.getByText("Mia waves").waitFor();
  await example.screenshot("invite-link", mia, noa);

  const again = await example.open("invite-link", "Noa", hash);
  await again.page.getByLabel("Your name for them").fill("Mia again");
  await again.page.getByRole("button", { name: "Accept Mia’s invitation" }).click();
  await again.page.locator("main").getByRole("alert").waitFor();

  await people(noa).getByRole("button", { name: "Remove" }).click();
  for (const tab of [mia, noa]) await tab.page.getByText("None yet.", { exact: true }).waitFor();
});

function people({ page }: Tab) {
  return page.getByRole("list", { name: "Trusted users" }).getByRole("listitem");
}
