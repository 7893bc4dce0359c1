import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type Stage } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { loginPage, signIn } from "./login.ts";

let stage: Stage;
let server: ServerProcess;

beforeAll(async () => {
  [stage, server] = await Promise.all([launch(), startServer({ accounts: { admin: "test" } })]);
});

afterAll(() => Promise.all([stage.close(), server.stop()]));

test("a page signs in, leaves, and may come back as another peer", async () => {
  const { tab, id } = await signIn(stage, server.url, { username: "admin", password: "test" });
  expect(id).toMatch(/^[0-9a-f]{32}$/);
  expect(tab.lines).toEqual(["connect"]);

  expect(
    await tab.page.evaluate(async () => {
      await $BV.disconnect();
      return [$BV.status.peek(), $BV.getId(), $BV.peers.peek()];
    }),
  ).toEqual(["offline", undefined, []]);
  expect(tab.lines).toEqual(["connect", "disconnect"]);

  const again = await tab.page.evaluate(async (host) => {
    await $BV.connect(host, "admin", "test");
    return $BV.getId();
  }, server.url);
  expect(again).toMatch(/^[0-9a-f]{32}$/);
  expect(again).not.toBe(id);
});

test("a wrong password is refused, and says so", async () => {
  const tab = await stage.open({ html: loginPage });
  const outcome = await tab.page.evaluate(
    (host) => $BV.connect(host, "admin", "guess").catch(({ code }) => [code, $BV.status.peek()]),
    server.url,
  );
  expect(outcome).toEqual(["unauthenticated", "offline"]);
  expect(tab.lines).not.toContain("connect");
});
