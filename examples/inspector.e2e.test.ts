import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import type { Tab } from "../tools/e2e.ts";
import { setUpExamples } from "./testing/example-pages.ts";

const example = setUpExamples();
const secret = "correct-horse";

async function openInspector({ page }: Tab): Promise<void> {
  await page.getByRole("button", { name: "Inspector", exact: true }).first().click();
}

/** The log that the open inspector of a page saves. */
async function savedLog({ page }: Tab): Promise<string> {
  const save = page.getByRole("button", { name: "Save the log" });
  const [download] = await Promise.all([page.waitForEvent("download"), save.click()]);
  const log = await readFile(await download.path(), "utf8");
  expect(JSON.parse(log)).toMatchObject({ recorded: true, client: { status: "online" } });
  return log;
}

/** Types the secret wherever a person can type or choose a file, and sends it. */
async function typeSecret({ page }: Tab): Promise<void> {
  const main = page.locator("main");
  for (const field of await main.locator("input[type=file]").all())
    await field.setInputFiles({ name: `${secret}.txt`, mimeType: "text/plain", buffer: Buffer.from(secret) });
  for (const field of await main.locator("input:not([type=file], [type=checkbox]), textarea").all()) {
    await field.fill(secret);
    await field.press("Enter");
  }
}

test.each([
  { path: "echo/vanilla", name: '"Echo"' },
  { path: "echo/react", name: '"Echo"' },
  { path: "echo/vue", name: '"Echo"' },
  { path: "echo/svelte", name: '"Echo"' },
  { path: "chat/react", name: '"Chat.Say"' },
  { path: "chat/vue", name: '"Chat.Say"' },
  { path: "chat/svelte", name: '"Chat.Say"' },
  { path: "todo", name: "Yjs.Sync" },
  { path: "whiteboard", name: '"Pen"' },
  { path: "file-drop", name: '"File.Drop"' },
  { path: "call", name: "online" },
])("a secret that is typed into $path, or names its room, is in no exported log", async ({ path, name }) => {
  const tabs = [await example.open(path, "Ann", `#${secret}`), await example.open(path, "Oli", `#${secret}`)] as const;
  for (const tab of tabs) {
    await tab.page.getByText("Nobody else is here.").waitFor({ state: "hidden" });
    await openInspector(tab);
  }
  await typeSecret(tabs[0]);
  // The receiver has recorded it.
  await expect.poll(() => savedLog(tabs[1])).toContain(name);
  for (const tab of tabs) expect(await savedLog(tab)).not.toContain(secret);
});

test("a secret that is typed into invite-link, and the invitation's token, are in no exported log", async () => {
  const mia = await example.open("invite-link", "Mia");
  await openInspector(mia);
  await typeSecret(mia);
  const link = await mia.page.getByRole("link", { name: `The link for ${secret}` }).getAttribute("href");
  const token = new URLSearchParams(link!.split("#")[1]).get("token")!;
  expect(token.length).toBeGreaterThan(10);
  const log = await savedLog(mia);
  expect(log).toContain("requestToken");
  for (const typed of [secret, token]) expect(log).not.toContain(typed);
});

test("a secret that is typed into identity, and the code that verifies a friend, are in no exported log", async () => {
  const [ann, oli] = [await example.openDevice("identity", "Ann"), await example.openDevice("identity", "Oli")];
  await ann.page.getByRole("button", { name: "Verify Oli" }).click();
  await oli.page.getByRole("button", { name: "Verify Ann" }).click();
  await ann.page.getByRole("button", { name: "Show a code" }).click();
  const code = await ann.page.getByLabel("The code", { exact: true }).innerText();
  await oli.page.getByRole("button", { name: "Enter a code" }).click();
  await typeSecret(oli);
  await oli.page.locator("main .problem").waitFor();
  await oli.page.getByLabel("Code").fill(code);
  await oli.page.getByRole("button", { name: "Verify Ann" }).click();
  await ann.page.getByRole("heading", { name: "Oli is verified" }).waitFor();
  for (const tab of [ann, oli]) {
    await openInspector(tab);
    await expect.poll(() => savedLog(tab)).toContain('"identity": "verified"');
    for (const typed of [secret, code]) expect(await savedLog(tab)).not.toContain(typed);
  }
});
