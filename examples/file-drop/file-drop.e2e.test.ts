import { createHash, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { setUpExamples } from "../testing/example-pages.ts";

const example = setUpExamples("file-drop");

test("a file arrives complete: both sides and this test compute the same SHA-256", async () => {
  const ann = await example.open("file-drop", "Ann");
  const oli = await example.open("file-drop", "Oli");
  const buffer = randomBytes(6_000_000);
  const hash = createHash("sha256").update(buffer).digest("hex");

  await ann.page.getByLabel("Drop a file here").setInputFiles({ name: "photo.raw", mimeType: "image/x-raw", buffer });
  await ann.page.getByText("Oli received the same file").waitFor();
  await ann.page.getByText("6.0 MB, sent").waitFor();
  const arrival = oli.page.getByRole("region", { name: "Received" });
  await arrival.getByText(/^6\.0 MB, \d+\.\d MB\/s$/).waitFor();
  expect(await ann.page.getByText(hash).count()).toBe(1);
  expect(await arrival.getByText(hash).count()).toBe(1);
  await example.screenshot("file-drop", ann, oli);

  const saving = oli.page.waitForEvent("download");
  await arrival.getByRole("link", { name: "Save it" }).click();
  expect((await saving).suggestedFilename()).toBe("photo.raw");
});

test("without other peers the page says so", async () => {
  const ann = await example.open("file-drop", "Ann");
  await ann.page
    .getByLabel("Drop a file here")
    .setInputFiles({ name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("a") });
  await ann.page.getByText("No other peer is online.").waitFor();
});
