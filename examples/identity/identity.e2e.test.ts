import { expect, test } from "vitest";
import type { Tab } from "../../tools/e2e.ts";
import { setUpExamples } from "../testing/example-pages.ts";

const example = setUpExamples("identity");
const open = (who: string) => example.openDevice("identity", who);

// Chromium takes its time for three browser contexts and the screenshots.
const timeout = 300_000;

test("two friends verify each other with a code, and a new device of one is linked, known to the other, and removed", {
  timeout,
}, async () => {
  const ann = await open("Ann");
  const oli = await open("Oli");
  await Promise.all([
    friend(ann, "Oli").getByText("online, not verified yet").waitFor(),
    friend(oli, "Ann").getByText("online, not verified yet").waitFor(),
  ]);
  await button(ann, "Verify Oli").click();
  await button(oli, "Verify Ann").click();
  await example.screenshot("identity", ann, oli);
  await button(ann, "Show a code").click();
  await button(oli, "Enter a code").click();
  await oli.page.getByLabel("Code").fill(await shownCode(ann));
  await example.screenshot("identity-code", ann, oli);
  await button(oli, "Verify Ann").click();
  await heading(ann, "Oli is verified").waitFor();
  await button(ann, "Done").click();
  await waveTo(oli, "Ann", ann);

  const phone = await open("Ann");
  await heading(phone, "This device is new").waitFor();
  await heading(ann, "Have you signed in on another device?").waitFor();
  await example.screenshot("identity-device", phone, ann);
  await button(ann, "Show a code").click();
  await button(phone, "Enter a code").click();
  await phone.page.getByLabel("Code").fill(await shownCode(ann));
  await button(phone, "Next").click();
  await heading(phone, "Is the code on a device of your own?").waitFor();
  await button(phone, "Yes, it is my device").click();
  await heading(ann, "The two devices are linked").waitFor();
  await button(ann, "Done").click();
  await heading(phone, "Your devices").waitFor();
  await waveTo(oli, "Ann", phone);
  await friend(phone, "Oli").getByText("verified", { exact: true }).waitFor();

  await button(ann, "Remove").click();
  await button(ann, "Remove for good").click();
  await heading(phone, "This device was removed").waitFor();
  await waveTo(oli, "Ann", ann);
  await button(phone, "Use it again, as a new device").click();
  await heading(phone, "This device is new").waitFor();
});

test("two friends compare numbers instead, and are warned if these differ", { timeout }, async () => {
  const [ann, oli] = [await open("Ann"), await open("Oli")];
  const numbers = [];
  for (const [tab, name] of [
    [ann, "Oli"],
    [oli, "Ann"],
  ] as const) {
    await friend(tab, name).getByText("online").waitFor();
    await button(tab, `Verify ${name}`).click();
    await button(tab, "Compare numbers").click();
    const shown = tab.page.getByRole("list", { name: "Numbers" }).getByRole("listitem");
    await expect.poll(() => shown.count()).toBe(12);
    numbers.push(await shown.allInnerTexts());
  }
  expect(numbers[0]).toEqual(numbers[1]);
  await example.screenshot("identity-numbers", ann, oli);
  await button(ann, "They differ").click();
  await heading(ann, "Somebody may be between you").waitFor();
  await button(ann, "Back").click();
  await button(oli, "They match").click();
  await friend(oli, "Ann").getByText("verified", { exact: true }).waitFor();
  await button(oli, "Wave").click();
  await oli.page.getByText("Ann has to verify you, too.").waitFor();
  await button(ann, "Verify Oli").click();
  await button(ann, "Compare numbers").click();
  await button(ann, "They match").click();
  await waveTo(oli, "Ann", ann);
});

async function waveTo(from: Tab, name: string, to: Tab): Promise<void> {
  await friend(from, name).getByText("verified", { exact: true }).waitFor();
  await friend(from, name).getByRole("button", { name: "Wave" }).click();
  await to.page.getByRole("status").filter({ hasText: "waves at you" }).waitFor();
}

function shownCode({ page }: Tab): Promise<string> {
  return page.getByLabel("The code", { exact: true }).innerText();
}

function friend({ page }: Tab, name: string) {
  return page.getByRole("list", { name: "Friends" }).locator(":scope > li").filter({ hasText: name });
}

function heading({ page }: Tab, name: string) {
  return page.getByRole("heading", { name, exact: true });
}

function button({ page }: Tab, name: string) {
  return page.getByRole("button", { name, exact: true });
}
