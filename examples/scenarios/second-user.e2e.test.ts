import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type TestBrowser } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { loginPage, type SignedInTab, signIn, waitForEachOther } from "./signed-in-tab.ts";

let browser: TestBrowser;
let server: ServerProcess;

const password = "a password of my own";

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), startServer({ accounts: { ann: "test password" } })]);
});

afterAll(() => Promise.all([browser.close(), server.stop()]));

test("an invited user claims a token, and four peers of two accounts answer each other's calls", async () => {
  const ann = await signInTwice({ username: "ann", password: "test password" });
  await acceptInvitation(await server.invite("oli@example.org"));
  const oli = await signInTwice({ username: "oli@example.org", password });
  expect(await ann[0]!.peers()).toEqual([`Us ${ann[1]!.id}`]);
  expect(await oli[0]!.peers()).toEqual([`Us ${oli[1]!.id}`]);

  await trust(ann[0]!, oli[0]!);
  await Promise.all([
    ...ann.flatMap((tab) => [
      tab.browserTab.waitForLine("newuser Oli"),
      ...oli.map((other) => tab.waitForPeer(other, "Oli")),
    ]),
    ...oli.flatMap((tab) => [
      tab.browserTab.waitForLine("newuser Ann"),
      ...ann.map((other) => tab.waitForPeer(other, "Ann")),
    ]),
  ]);
  expect(await ann[1]!.browserTab.page.evaluate(() => $BV.users.peek())).toEqual(["Oli"]);
  expect(await oli[1]!.browserTab.page.evaluate(() => $BV.users.peek())).toEqual(["Ann"]);

  const answers = await Promise.all([...ann, ...oli].map((tab) => tab.call("*")));
  expect(answers).toEqual([
    expected(ann[1]!, oli, "Oli"),
    expected(ann[0]!, oli, "Oli"),
    expected(oli[1]!, ann, "Ann"),
    expected(oli[0]!, ann, "Ann"),
  ]);
  expect(await ann[0]!.call("Oli")).toEqual(expected(undefined, oli, "Oli"));
  expect(await oli[0]!.call("Us")).toEqual(expected(oli[1], [], "Ann"));
});

test("an invitation works as a credential exactly once", async () => {
  const { link } = await server.invite("eve@example.org");
  const invite = new URL(link).hash.slice(1);
  await signIn(browser, server.url, { invite, password });
  const tab = await browser.open({ html: loginPage });
  const outcome = await tab.page.evaluate(
    ([host, credentials]) => $BV.connect(host, credentials).catch(({ code }) => code),
    [server.url, { invite, password: "another's password" }] as const,
  );
  expect(outcome).toBe("token-invalid");
});

/** Follows the invitation link and chooses a password. */
async function acceptInvitation({ link }: { link: string }): Promise<void> {
  const { page, close } = await browser.open(link);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button").click();
  await page.getByText("Your account is ready").waitFor();
  await close();
}

async function signInTwice(credentials: { username: string; password: string }): Promise<readonly SignedInTab[]> {
  const tabs = [await signIn(browser, server.url, credentials), await signIn(browser, server.url, credentials)];
  await waitForEachOther(tabs);
  return tabs;
}

/** `ann` requests a token, and `oli` claims it. */
async function trust(ann: SignedInTab, oli: SignedInTab): Promise<void> {
  const token = await ann.browserTab.page.evaluate(
    () => new Promise<string>((resolve) => $BV.requestToken("Oli", (data) => resolve(data.token))),
  );
  await oli.browserTab.page.evaluate((token) => $BV.claimToken("Ann", token), token);
}

function expected(us: SignedInTab | undefined, others: readonly SignedInTab[], name: string): readonly string[] {
  const ours = us ? [`Us ${us.id} Not Friday`] : [];
  return [...ours, ...others.map(({ id }) => `${name} ${id} Not Friday`)].sort();
}
