import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type Stage } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { haveMet, signIn } from "./login.ts";

let stage: Stage;
let server: ServerProcess;

beforeAll(async () => {
  [stage, server] = await Promise.all([launch(), startServer({ accounts: { ann: "test" } })]);
});

afterAll(() => Promise.all([stage.close(), server.stop()]));

test("two pages under a strict Content-Security-Policy call each other, and nothing of theirs is blocked", async () => {
  const policy = `default-src 'none'; script-src 'self'; connect-src ${server.url}; img-src data:; require-trusted-types-for 'script'`;
  const headers = { "content-security-policy": policy };
  const credentials = { username: "ann", password: "test" };
  const a = await signIn(stage, server.url, credentials, headers);
  const b = await signIn(stage, server.url, credentials, headers);
  await haveMet([a, b]);
  expect(await a.call("*")).toEqual([`Us ${b.id} Not Friday`]);
  expect(await b.call("*")).toEqual([`Us ${a.id} Not Friday`]);
  const blocked = [...a.tab.lines, ...b.tab.lines].filter((line) => line.includes("Content Security Policy"));
  expect(blocked).toEqual([]);
  expect(await a.tab.page.evaluate(evaluate)).toBe("EvalError");
});

/** What becomes of code made from a string: the policy is in force. */
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
