import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { shellLaunch } from "../tools/chromium.ts";
import { signedIn, startTestServer } from "./testing/test-server.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch(shellLaunch());
});
afterAll(() => browser.close());

/** Opens a page at `url`, and records its errors. */
async function visit(url: string, options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext(options);
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

test("a used link says so at once", async () => {
  const { server, open } = await startTestServer();
  const { link } = await server.accounts.invite("ann@example.org");
  const first = await open();
  first.send("acceptInvite", { version: 1, invite: new URL(link).hash.slice(1), password: "a good secret" });
  await first.next("peerList");
  const { page } = await visit(link);
  await page.getByRole("heading", { name: "This link is no longer valid" }).waitFor();
  await page.getByText("The invitation was used, or it has expired.").waitFor();
  expect(await page.getByLabel("Password", { exact: true }).isVisible()).toBe(false);
});

test("a person with an account accepts with its password, and both users see each other", async () => {
  const { server, signIn, open } = await startTestServer(["ann"], {
    name: "Todo",
    appUrl: "https://todo.example.org/",
  });
  await server.accounts.add("bob@example.org", "a good secret");
  const ann = await signIn("ann");
  const { link } = await server.accounts.invite("bob@example.org", { from: "ann", alias: "Bob", as: "Bank" });
  const { page, complaints } = await visit(link);
  await page.getByText("ann invites you to connect. Enter the password of your account to accept.").waitFor();
  expect(await page.getByLabel("User name").inputValue()).toBe("bob@example.org");
  await page.getByLabel("Password", { exact: true }).fill("a wrong secret");
  await page.getByRole("button", { name: "Accept" }).click();
  await page.getByRole("alert").filter({ hasText: "The password is wrong." }).waitFor();
  await page.getByLabel("Password", { exact: true }).fill("a good secret");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "You are connected" }).waitFor();
  expect(await page.getByRole("link", { name: "Open Todo" }).getAttribute("href")).toBe("https://todo.example.org/");
  expect(await page.content()).not.toContain("Bank");
  expect(complaints).toEqual([]);
  expect((await ann.next("userAdd")).data).toBe("Bob");
  const bob = await signedIn(await open(), { username: "bob@example.org", password: "a good secret" });
  expect(bob.peers).toEqual([expect.objectContaining({ name: "Bank", id: ann.id })]);
});

test("names are shown as text, in the page and in its title", async () => {
  const name = `"><img src=x onerror=alert(1)> & Co`;
  const inviter = "<img src=y onerror=alert(2)>";
  const { server } = await startTestServer([inviter], { name, appUrl: `https://app.example.org/?a="&b='<i>` });
  const { link } = await server.accounts.invite("bob@example.org", { from: inviter });
  const { page, complaints } = await visit(link);
  await page.getByRole("heading", { name: `You are invited to ${name}` }).waitFor();
  await page.getByText(`${inviter} invites you to ${name}.`).waitFor();
  expect(await page.title()).toBe(`You are invited to ${name}`);
  expect(await page.locator("img").count()).toBe(0);
  expect(await page.locator("a").getAttribute("href")).toBe(`https://app.example.org/?a="&b='<i>`);
  expect(complaints).toEqual([]);
});

const states = ["new", "account", "accepted", "used"] as const;
const looks = {
  light: { colorScheme: "light", viewport: { width: 1000, height: 760 } },
  dark: { colorScheme: "dark", viewport: { width: 1000, height: 760 } },
  phone: { colorScheme: "light", viewport: { width: 360, height: 720 } },
} as const;

test.each(Object.keys(looks) as (keyof typeof looks)[])(
  "every state of the page is readable and fits, %s",
  async (look) => {
    const { server } = await startTestServer(["ann@example.org"], { name: "Todo", appUrl: "https://todo.example.org" });
    await server.accounts.add("bob@example.org", "a good secret");
    const from = { from: "ann@example.org", alias: "Bob" };
    for (const state of states) {
      const email = state === "new" ? "new@example.org" : "bob@example.org";
      const { link } = await server.accounts.invite(email, from);
      const { page } = await visit(state === "used" ? `${link.split("#")[0]}#used` : link, looks[look]);
      if (state === "used") await page.getByRole("heading", { name: "no longer valid" }).waitFor();
      else await page.getByRole("button").waitFor();
      if (state === "accepted") {
        await page.getByLabel("Password", { exact: true }).fill("a good secret");
        await page.getByRole("button").click();
        await page.getByRole("heading", { name: "You are connected" }).waitFor();
      }
      const { fits, contrast } = await page.evaluate(measure);
      expect([state, fits]).toEqual([state, true]);
      // WCAG 2.2, 1.4.3.
      for (const [text, ratio] of contrast)
        expect([text, ratio]).toEqual([text, expect.toSatisfy((x: number) => x >= 4.5)]);
      const folder = process.env["SCREENSHOTS"];
      if (folder) await page.screenshot({ path: `${folder}/invitation-${state}-${look}.png` });
    }
  },
);

/** Runs in the page: whether it fits the window's width, and the contrast of each visible text. */
function measure(): { fits: boolean; contrast: [string, number][] } {
  const rgb = (color: string) => (/^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)/.exec(color) ?? []).slice(1).map(Number);
  const luminance = (color: string) => {
    const [r = 0, g = 0, b = 0] = rgb(color).map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (element: Element | null): string => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (!/, 0\)$|transparent/.test(color)) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const contrast = [...document.querySelectorAll<HTMLElement>("h1, p, label, input, button, a")]
    .filter((element) => element.checkVisibility() && (element.textContent || element.matches("[type=text]")))
    .map((element): [string, number] => {
      const [a = 0, b = 0] = [luminance(getComputedStyle(element).color), luminance(background(element))];
      return [element.textContent || "input", (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
    });
  return { fits: document.documentElement.scrollWidth <= innerWidth, contrast };
}

test("a link without its fragment asks for the complete link", async () => {
  const { server } = await startTestServer();
  const { link } = await server.accounts.invite("ann@example.org");
  const { page, complaints } = await visit(link.split("#")[0]!);
  await page.getByRole("heading", { name: "This link is incomplete" }).waitFor();
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
