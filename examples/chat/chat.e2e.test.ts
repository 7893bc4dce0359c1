import { expect, test } from "vitest";
import type { Tab } from "../../tools/e2e.ts";
import { setUpExamples } from "../testing/example-pages.ts";

const example = setUpExamples("chat");

test.each([["react"], ["vue"], ["svelte"]])(
  "in %s, each page shows who is online, how each peer is connected, and all messages",
  async (framework) => {
    const ann = await example.open(`chat/${framework}`, "Ann");
    expect(await online(ann)).toEqual([]);
    const oli = await example.open(`chat/${framework}`, "Oli");
    await line(ann, "Oli is here").waitFor();

    await say(ann, "The kettle is on.");
    await line(oli, "Ann The kettle is on.").waitFor();
    await say(oli, "Two minutes!");
    await line(ann, "Oli Two minutes!").waitFor();
    await ann.page.getByText("1 of 1 have your last message").waitFor();
    await person(oli, "Ann direct").waitFor();
    await example.screenshot(`chat-${framework}`, ann, oli);

    await oli.close();
    await person(ann, "Oli direct").waitFor({ state: "detached" });
    expect(await online(ann)).toEqual([]);
  },
);

async function say({ page }: Tab, text: string): Promise<void> {
  await page.getByLabel("Message").fill(text);
  await page.getByRole("button", { name: "Say" }).click();
}

function line({ page }: Tab, text: string) {
  return page.getByRole("log").getByRole("listitem").filter({ hasText: text });
}

function person({ page }: Tab, text: string) {
  return page.getByRole("list", { name: "Online" }).getByRole("listitem").filter({ hasText: text });
}

function online({ page }: Tab): Promise<readonly string[]> {
  return page.getByRole("list", { name: "Online" }).getByRole("listitem").allInnerTexts();
}
