import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type TestBrowser } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { loginPage, signIn } from "./signed-in-tab.ts";

let browser: TestBrowser;
let server: ServerProcess;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), startServer({ accounts: { admin: "test password" } })]);
});

afterAll(() => Promise.all([browser.close(), server.stop()]));

test("a page signs in, signs out, and signs in again as another peer", async () => {
  const { browserTab, id } = await signIn(browser, server.url, { username: "admin", password: "test password" });
  expect(id).toMatch(/^[0-9a-f]{32}$/);
  expect(browserTab.lines).toEqual(["connect"]);

  expect(
    await browserTab.page.evaluate(async () => {
      await $BV.disconnect();
      return [$BV.status.peek(), $BV.getId(), $BV.peers.peek()];
    }),
  ).toEqual(["offline", undefined, []]);
  expect(browserTab.lines).toEqual(["connect", "disconnect"]);

  const again = await browserTab.page.evaluate(async (host) => {
    await $BV.connect(host, "admin", "test password");
    return $BV.getId();
  }, server.url);
  expect(again).toMatch(/^[0-9a-f]{32}$/);
  expect(again).not.toBe(id);
});

test("a wrong password is rejected with an error", async () => {
  const tab = await browser.open({ html: loginPage });
  const outcome = await tab.page.evaluate(
    (host) => $BV.connect(host, "admin", "guess").catch(({ code }) => [code, $BV.status.peek()]),
    server.url,
  );
  expect(outcome).toEqual(["unauthenticated", "offline"]);
  expect(tab.lines).not.toContain("connect");
});
