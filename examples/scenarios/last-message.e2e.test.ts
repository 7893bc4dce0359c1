import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch, type TestBrowser } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { type SignedInTab, signIn, waitForEachOther } from "./signed-in-tab.ts";

let browser: TestBrowser;
let server: ServerProcess;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), startServer({ accounts: { ann: "test password" } })]);
});

afterAll(() => Promise.all([browser.close(), server.stop()]));

/** The ways in which a page ends. */
const endings: Readonly<Record<string, (tab: SignedInTab) => Promise<unknown>>> = {
  close: ({ browserTab }) => browserTab.page.close({ runBeforeUnload: true }),
  reload: ({ browserTab }) => browserTab.page.reload(),
  navigation: ({ browserTab }) => browserTab.page.goto("about:blank"),
};

describe.each(Object.entries(endings))("on %s", (_, end) => {
  test.each(["pagehide", "beforeunload"])(
    "the client is still online in a later %s listener, and its message arrives",
    async (event) => {
      const credentials = { username: "ann", password: "test password" };
      const [leaver, stayer] = await Promise.all([
        signIn(browser, server.url, credentials),
        signIn(browser, server.url, credentials),
      ]);
      await waitForEachOther([leaver, stayer]);
      await stayer.browserTab.page.evaluate(() => {
        $BV.module("Last", ({ request }) => console.log("last message", request));
      });
      // The link is open.
      expect(await leaver.call("Us")).toHaveLength(1);
      await leaver.browserTab.page.evaluate((event) => {
        addEventListener(event, () => $BV.get("Us").message("Last", `${event}, ${$BV.status.peek()}`));
      }, event);
      await end(leaver);
      // The message and the server's report take different paths, so either may come first.
      await Promise.all([stayer.waitForPeerGone(leaver), stayer.browserTab.waitForLine("last message")]);
      expect(stayer.browserTab.lines.filter((line) => line.startsWith("last"))).toEqual([
        `last message ${event}, online`,
      ]);
      await stayer.browserTab.close();
      if (!leaver.browserTab.page.isClosed()) await leaver.browserTab.close();
    },
  );
});
