import { type Browser, chromium, type Page } from "playwright";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { chromiumLaunch } from "../tools/chromium.ts";
import { signedIn, startTestServer } from "./testing/test-server.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch(chromiumLaunch());
});
afterAll(() => browser.close());

/** Opens a page at `url`, and records its errors. */
async function visit(url: string): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  await page.goto(url);
  return { page, complaints };
}

test("an invited person chooses a password in the browser, and signs in with it", async () => {
  // The server's own page needs no entry in this list.
  const { server, open } = await startTestServer([], { origins: ["https://app.example.org"] });
  const { link } = await server.accounts.invite("ann@example.org");
  const { page, complaints } = await visit(link);
  await page.getByLabel("Password", { exact: true }).fill("a good secret");
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("heading", { name: "Welcome" }).waitFor();
  expect(await page.getByText("ann@example.org").isVisible()).toBe(true);
  expect(new URL(page.url()).hash).toBe("");
  expect(complaints).toEqual([]);
  await signedIn(await open(), { username: "ann@example.org", password: "a good secret" });
});

test("a used link shows an error and keeps the form", async () => {
  const { server, open } = await startTestServer();
  const { link } = await server.accounts.invite("ann@example.org");
  const first = await open();
  first.send("acceptInvite", { version: 1, invite: new URL(link).hash.slice(1), password: "a good secret" });
  await first.next("peerList");
  const { page } = await visit(link);
  await page.getByLabel("Password", { exact: true }).fill("another secret");
  await page.getByRole("button").click();
  await page.getByRole("alert").filter({ hasText: "invalid or has expired" }).waitFor();
  expect(await page.getByRole("button").isEnabled()).toBe(true);
});

test("a link without its fragment asks for the complete link", async () => {
  const { server } = await startTestServer();
  const { link } = await server.accounts.invite("ann@example.org");
  const { page, complaints } = await visit(link.split("#")[0]!);
  await page.getByText("This link is incomplete.").waitFor();
  expect(await page.getByLabel("Password", { exact: true }).isVisible()).toBe(false);
  expect(complaints).toEqual([]);
});

test("the page is below the path of the server", async () => {
  const { server } = await startTestServer([], { path: "/p2p" });
  const { link } = await server.accounts.invite("ann@example.org");
  const { page } = await visit(link);
  await page.getByLabel("Password", { exact: true }).fill("a good secret");
  await page.getByRole("button").click();
  await page.getByRole("heading", { name: "Welcome" }).waitFor();
});
