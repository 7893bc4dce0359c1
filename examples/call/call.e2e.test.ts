import { expect, test } from "vitest";
import { createLocalClient } from "../../core/identity/testing/users.ts";
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

test("a third account sees neither of the two, and cannot ring them", async () => {
  const ann = await example.open("call", "Ann");
  const { origin } = new URL(ann.page.url());
  const passwords = await (await fetch(`${origin}/accounts.json`)).json();
  const [oli, mia] = [createLocalClient({}), createLocalClient({})];
  await oli.connect(origin, "Oli", passwords.Oli);
  await mia.connect(origin, "Mia", passwords.Mia);
  await expect.poll(() => oli.peers.peek().length).toBe(1);
  const annsId = oli.peers.peek()[0]!.id;
  expect(mia.peers.peek()).toEqual([]);
  const ring = mia.get({ peer: annsId }).call("Call.Ring", undefined, { timeout: 5_000 }).first();
  await expect(ring).rejects.toMatchObject({ code: "unknown-peer" });
  await oli.disconnect();
  await ann.page.getByText("Nobody else is here.").waitFor();
});

function button({ page }: Tab, name: string) {
  return page.getByRole("button", { name, exact: true });
}
