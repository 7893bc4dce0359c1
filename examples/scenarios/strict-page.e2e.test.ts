import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type TestBrowser } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { signIn, waitForEachOther } from "./signed-in-tab.ts";

let browser: TestBrowser;
let server: ServerProcess;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), startServer({ accounts: { ann: "test password" } })]);
});

afterAll(() => Promise.all([browser.close(), server.stop()]));

test("two pages with a strict Content-Security-Policy call each other without violations", async () => {
  const policy = `default-src 'none'; script-src 'self'; connect-src ${server.url}; img-src data:; require-trusted-types-for 'script'`;
  const headers = { "content-security-policy": policy };
  const credentials = { username: "ann", password: "test password" };
  const a = await signIn(browser, server.url, credentials, { headers });
  const b = await signIn(browser, server.url, credentials, { headers });
  await waitForEachOther([a, b]);
  expect(await a.call("*")).toEqual([`Us ${b.id} Not Friday`]);
  expect(await b.call("*")).toEqual([`Us ${a.id} Not Friday`]);
  const blocked = [...a.browserTab.lines, ...b.browserTab.lines].filter((line) =>
    line.includes("Content Security Policy"),
  );
  expect(blocked).toEqual([]);
  expect(await a.browserTab.page.evaluate(evaluate)).toBe("EvalError");
});

/** Tries to run code from a string, to show that the policy is active. */
function evaluate(): Promise<string> {
  return new Promise((resolve) => {
    setTimeout(() => {
      try {
        resolve(new Function("return 'it ran'")());
      } catch (error) {
        resolve((error as Error).name);
      }
    });
  });
}
