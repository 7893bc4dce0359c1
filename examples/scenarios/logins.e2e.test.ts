import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type TestBrowser } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { type SignedInTab, signIn, waitForEachOther } from "./signed-in-tab.ts";

let browser: TestBrowser;
let server: ServerProcess;

beforeAll(async () => {
  const accounts = { two: "test password", four: "test password" };
  [browser, server] = await Promise.all([launch(), startServer({ accounts })]);
});

afterAll(() => Promise.all([browser.close(), server.stop()]));

test.each([
  ["two", 2],
  ["four", 4],
])("%s peers of one account see each other connect and disconnect", async (username, count) => {
  const tabs: SignedInTab[] = [];
  for (let tab = 0; tab < count; tab++) {
    tabs.push(await signIn(browser, server.url, { username, password: "test password" }));
  }
  await waitForEachOther(tabs);
  while (tabs.length > 0) {
    for (const tab of tabs) expect(await tab.peers()).toEqual(others(tabs, tab));
    const leaver = tabs.shift()!;
    // Alternately, a client disconnects and a tab is closed.
    if (tabs.length % 2 === 0) await leaver.browserTab.close();
    else await leaver.browserTab.page.evaluate(() => $BV.disconnect());
    await Promise.all(tabs.map((tab) => tab.waitForPeerGone(leaver)));
  }
});

function others(tabs: readonly SignedInTab[], self: SignedInTab): readonly string[] {
  return tabs.flatMap((tab) => (tab === self ? [] : `Us ${tab.id}`)).sort();
}
