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

test("four peers each call all others, and all twelve replies arrive", async () => {
  const tabs: SignedInTab[] = [];
  for (let tab = 0; tab < 4; tab++) {
    tabs.push(await signIn(browser, server.url, { username: "ann", password: "test password" }));
  }
  await waitForEachOther(tabs);
  const answers = await Promise.all(tabs.map((tab) => tab.call("*")));
  expect(answers).toEqual(
    tabs.map((tab) =>
      tabs
        .filter((other) => other !== tab)
        .map(({ id }) => `Us ${id} Not Friday`)
        .sort(),
    ),
  );
  expect(answers.flat()).toHaveLength(12);
});
