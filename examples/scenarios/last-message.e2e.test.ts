import { afterAll, beforeAll, expect, test } from "vitest";
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

// In the order of their events when a page ends. MDN recommends the last one for saving state.
const events = ["beforeunload", "pagehide", "visibilitychange"] as const;

test.each(Object.entries(endings))(
  "on %s the client is still online in listeners that the app has added later, and their messages arrive",
  async (_, end) => {
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
    await leaver.browserTab.page.evaluate((events) => {
      for (const event of events) {
        const target = event === "visibilitychange" ? document : window;
        target.addEventListener(event, () => $BV.get("Us").message("Last", `${event}, ${$BV.status.peek()}`));
      }
    }, events);
    await end(leaver);
    // The messages and the server's report take different paths, so either may come first.
    await Promise.all([stayer.waitForPeerGone(leaver), stayer.browserTab.waitForLine("last message visibilitychange")]);
    expect(stayer.browserTab.lines.filter((line) => line.startsWith("last"))).toEqual(
      events.map((event) => `last message ${event}, online`),
    );
    await stayer.browserTab.close();
    if (!leaver.browserTab.page.isClosed()) await leaver.browserTab.close();
  },
);
