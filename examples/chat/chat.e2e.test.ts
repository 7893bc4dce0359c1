import { expect, test } from "vitest";
import type { Tab } from "../../tools/e2e.ts";
import { setUpExamples } from "../testing/example-pages.ts";

const example = setUpExamples("chat");

test.each([["react"], ["vue"], ["svelte"]])(
  "in %s, two members see each other's names, statuses, typing and messages",
  async (framework) => {
    const ann = await example.open(`chat/${framework}`, "Ann", `#${framework}`);
    await ann.page.getByText("Nobody else is here.").waitFor();
    if (framework === "react") await example.screenshot("alone", ann);
    const oli = await example.open(`chat/${framework}`, "Oli", `#${framework}`);
    await ann.page.getByText("Nobody else is here.").waitFor({ state: "hidden" });
    await members(oli).getByText("Ann").waitFor();

    await oli.page.getByLabel("Your status").fill("making tea");
    await members(ann).getByText("making tea").waitFor();

    await message(ann).fill("Shall we meet at four?");
    await oli.page.getByText("Ann is typing …").waitFor();
    await ann.page.getByRole("button", { name: "Send" }).click();
    await oli.page.getByRole("log").getByText("Shall we meet at four?").waitFor();
    await oli.page.getByText("Ann is typing …").waitFor({ state: "hidden" });

    await message(oli).fill("At four. I bring the cake.");
    await message(oli).press("Enter");
    await ann.page.getByRole("log").getByText("I bring the cake.").waitFor();
    await message(ann).fill("Great, and I will");
    await oli.page.getByText("Ann is typing …").waitFor();
    if (framework === "react") await example.screenshot("chat", ann, oli);

    await oli.close();
    await ann.page.getByText("Nobody else is here.").waitFor();
    expect(await members(ann).allInnerTexts()).toHaveLength(1);
  },
);

test("rooms are apart: who has another link sees nobody", async () => {
  await example.open("chat/react", "Ann", "#one");
  const oli = await example.open("chat/react", "Oli", "#two");
  await oli.page.getByText("Nobody else is here.").waitFor();
});

test("a member who reloads the page stays in the room", async () => {
  const ann = await example.open("chat/react", "Ann", "#reload");
  const oli = await example.open("chat/react", "Oli", "#reload");
  const joined = ann.page.getByRole("log").getByText("has joined");
  await joined.waitFor();
  await oli.page.reload();
  await oli.page.getByText("Oli, online", { exact: true }).waitFor();
  await message(oli).fill("I am back.");
  await message(oli).press("Enter");
  await ann.page.getByRole("log").getByText("I am back.").waitFor();
  expect(await joined.count()).toBe(1);
});

function members({ page }: Tab) {
  return page.getByRole("list", { name: "Members" }).getByRole("listitem");
}

function message({ page }: Tab) {
  return page.getByLabel("Message", { exact: true });
}
