import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type TestBrowser } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { signIn, waitForEachOther } from "./signed-in-tab.ts";

let browser: TestBrowser;
let server: ServerProcess;
const ann = { username: "ann", password: "test password" };

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), startServer({ accounts: { ann: "test password" } })]);
});

afterAll(() => Promise.all([browser.close(), server.stop()]));

test("A calls B, then B calls A", async () => {
  const a = await signIn(browser, server.url, ann);
  const b = await signIn(browser, server.url, ann);
  await waitForEachOther([a, b]);
  expect(await a.call(b.id)).toEqual([`Us ${b.id} Not Friday`]);
  expect(await b.call(a.id)).toEqual([`Us ${a.id} Not Friday`]);
  await Promise.all([a.browserTab.close(), b.browserTab.close()]);
});

test("A and B call each other at the same moment, before either has a link", async () => {
  const a = await signIn(browser, server.url, ann);
  const b = await signIn(browser, server.url, ann);
  await waitForEachOther([a, b]);
  const [ofA, ofB] = await Promise.all([a.call("Us"), b.call("Us")]);
  expect(ofA).toEqual([`Us ${b.id} Not Friday`]);
  expect(ofB).toEqual([`Us ${a.id} Not Friday`]);
  await Promise.all([a.browserTab.close(), b.browserTab.close()]);
});
