import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type Stage } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { haveMet, type Login, signIn } from "./login.ts";

let stage: Stage;
let server: ServerProcess;

beforeAll(async () => {
  const accounts = { two: "test", four: "test" };
  [stage, server] = await Promise.all([launch(), startServer({ accounts })]);
});

afterAll(() => Promise.all([stage.close(), server.stop()]));

test.each([
  ["two", 2],
  ["four", 4],
])("%s logins of one account see each other come and go", async (username, count) => {
  const logins: Login[] = [];
  for (let login = 0; login < count; login++) {
    logins.push(await signIn(stage, server.url, { username, password: "test" }));
  }
  await haveMet(logins);
  while (logins.length > 0) {
    for (const login of logins) expect(await login.peers()).toEqual(others(logins, login));
    const leaver = logins.shift()!;
    // One says goodbye, the next closes its tab, and so on.
    if (logins.length % 2 === 0) await leaver.tab.close();
    else await leaver.tab.page.evaluate(() => $BV.disconnect());
    await Promise.all(logins.map((login) => login.misses(leaver)));
  }
});

function others(logins: readonly Login[], self: Login): readonly string[] {
  return logins.flatMap((login) => (login === self ? [] : `Us ${login.id}`)).sort();
}
