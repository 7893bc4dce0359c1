import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { setUpExamples } from "../testing/example-pages.ts";

const example = setUpExamples("file-drop");

test("a file arrives complete, and both sides show how far it is", async () => {
  const ann = await example.open("file-drop", "Ann", "#drop");
  const oli = await example.open("file-drop", "Oli", "#drop");
  await ann.page.getByText("Nobody else is here.").waitFor({ state: "hidden" });
  const buffer = randomBytes(6_000_000);

  await ann.page.getByLabel("Drop a file here").setInputFiles({ name: "photo.raw", mimeType: "image/x-raw", buffer });
  await ann.page.getByText("Oli received the same file").waitFor();
  await ann.page.getByText("6.0 MB, sent").waitFor();
  const arrival = oli.page.getByRole("region", { name: "Received" });
  await arrival.getByText(/^6\.0 MB, \d+\.\d MB\/s$/).waitFor();
  for (const progress of [ann.page.getByRole("progressbar"), arrival.getByRole("progressbar")])
    await expect.poll(() => progress.evaluate((bar) => (bar as HTMLProgressElement).position)).toBe(1);
  await example.screenshot("file-drop", ann, oli);

  const saving = oli.page.waitForEvent("download");
  await arrival.getByRole("link", { name: "Save it" }).click();
  const saved = await saving;
  expect(saved.suggestedFilename()).toBe("photo.raw");
  expect((await readFile(await saved.path())).equals(buffer)).toBe(true);
});

test("without other peers the page says so", async () => {
  const ann = await example.open("file-drop", "Ann", "#alone");
  await ann.page
    .getByLabel("Drop a file here")
    .setInputFiles({ name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("a") });
  await ann.page.getByRole("status").getByText("No other peer is online.").waitFor();
});
