import { expect, test } from "vitest";
import { setUpExamples } from "../testing/example-pages.ts";

const example = setUpExamples("echo");

test.each([["vanilla"], ["react"], ["vue"], ["svelte"]])(
  "in %s, every peer answers a text with Not and the text",
  async (framework) => {
    const ann = await example.open(`echo/${framework}`, "Ann");
    const oli = await example.open(`echo/${framework}`, "Oli");

    for (const [{ page }, other] of [[ann, "Oli"] as const, [oli, "Ann"] as const]) {
      await page.getByRole("button", { name: "Send to everyone (1)" }).click();
      const reply = page.getByRole("log").getByRole("listitem");
      await reply.getByText("Not Friday").waitFor();
      expect(await reply.allInnerTexts()).toEqual([`${other}\nNot Friday`]);
    }
    if (framework === "react") await example.screenshot("echo", ann, oli);
  },
);
