import type { Browser } from "playwright";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { launch, type TestBrowser } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { type SignedInTab, signIn, waitForEachOther } from "./signed-in-tab.ts";

let browser: TestBrowser;
// A second browser with one tab: Chromium does not tell which of several tabs runs in which process.
let sleeping: TestBrowser;
let server: ServerProcess;
const ann = { username: "ann", password: "test password" };

beforeAll(async () => {
  [browser, sleeping, server] = await Promise.all([
    launch(),
    launch(),
    startServer({ accounts: { ann: "test password" } }),
  ]);
});

afterAll(() => Promise.all([browser.close(), sleeping.close(), server.stop()]));

/** The processes in which the tabs of a browser run. */
async function renderersOf({ browserTab }: SignedInTab): Promise<readonly number[]> {
  const browser = browserTab.page.context().browser() as Browser;
  const cdp = await browser.newBrowserCDPSession();
  const { processInfo } = await cdp.send("SystemInfo.getProcessInfo");
  return processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
}

test("a tab that was suspended for twenty seconds is up to date within five", async () => {
  const [a, b, gone] = await Promise.all([
    signIn(browser, server.url, ann),
    signIn(sleeping, server.url, ann),
    signIn(browser, server.url, ann),
  ]);
  await waitForEachOther([a, b, gone]);
  await a.call("Us");
  const processes = await renderersOf(b);
  const signal = (name: NodeJS.Signals) => processes.forEach((pid) => void process.kill(pid, name));

  signal("SIGSTOP");
  onTestFinished(() => signal("SIGCONT"));
  const asleep = Date.now();
  await gone.browserTab.close();
  const late = await signIn(browser, server.url, ann);
  await a.waitForPeerGone(gone);
  await late.waitForPeer(b, "Us");
  // The link to the suspended tab fails when nothing has arrived for 15 s.
  await a.browserTab.page.waitForFunction((id) => $BV.link(id).peek().status === "failed", b.id);
  const lostAfter = Date.now() - asleep;
  await new Promise((resolve) => setTimeout(resolve, 20_000 - lostAfter));
  signal("SIGCONT");
  const awake = Date.now();

  await b.browserTab.page.waitForFunction(
    (ids) =>
      JSON.stringify(
        $BV.peers
          .peek()
          .map(({ id }) => id)
          .sort(),
      ) === JSON.stringify(ids),
    [a.id, late.id].sort(),
  );
  const answers = await b.call("Us");
  expect(Date.now() - awake).toBeLessThan(5_000);
  expect(answers).toEqual([a, late].map(({ id }) => `Us ${id} Not Friday`).sort());
  expect(await a.call(b.id)).toEqual([`Us ${b.id} Not Friday`]);
  expect(a.browserTab.lines.filter((line) => line === `peerdisconnect ${b.id}`)).toEqual([]);
}, 90_000);
