import { expect, test } from "vitest";
import type { Tab } from "../../tools/e2e.ts";
import { setUpExamples } from "../testing/example-pages.ts";

const example = setUpExamples("call");

test("a call rings, both sides see each other once it is accepted, and either can hang up", async () => {
  const ann = await example.open("call", "Ann");
  await ann.page.getByText("Nobody else is here.").waitFor();
  const oli = await example.open("call", "Oli");
  await button(ann, "Call Oli").click();
  await oli.page.getByRole("status").getByText("Ann is calling").waitFor();
  await example.screenshot("call-ringing", ann, oli);
  await button(oli, "Accept").click();
  for (const [tab, other] of [[ann, "Oli"] as const, [oli, "Ann"] as const]) {
    const picture = tab.page.getByLabel(other, { exact: true });
    await expect.poll(() => picture.evaluate((video) => (video as HTMLVideoElement).videoWidth)).toBeGreaterThan(0);
  }
  await example.screenshot("call", ann, oli);
  await button(oli, "Hang up").click();
  await ann.page.getByText("Oli has hung up.").waitFor();
});

test("a call is declined, given up, or ends when the other page closes", async () => {
  const ann = await example.open("call", "Ann");
  const oli = await example.open("call", "Oli");
  await button(ann, "Call Oli").click();
  await button(oli, "Decline").click();
  await ann.page.getByText("Oli does not answer.").waitFor();

  await button(oli, "Call Ann").click();
  await ann.page.getByText("Oli is calling").waitFor();
  await button(oli, "Cancel").click();
  await button(ann, "Call Oli").waitFor();

  await button(ann, "Call Oli").click();
  await button(oli, "Accept").click();
  await button(ann, "Hang up").waitFor();
  await oli.close();
  await ann.page.getByText(/^Oli has (left|hung up)\.$/).waitFor();
});

function button({ page }: Tab, name: string) {
  return page.getByRole("button", { name, exact: true });
}
