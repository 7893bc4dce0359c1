import type { Browser, CDPSession } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type Stage } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { haveMet, type Login, signIn } from "./login.ts";

let stage: Stage;
let server: ServerProcess;
const ann = { username: "ann", password: "test" };

beforeAll(async () => {
  [stage, server] = await Promise.all([launch(), startServer({ accounts: { ann: "test" } })]);
});

afterAll(() => Promise.all([stage.close(), server.stop()]));

async function renderers(cdp: CDPSession): Promise<Map<number, number>> {
  const { processInfo } = await cdp.send("SystemInfo.getProcessInfo");
  return new Map(processInfo.filter(({ type }) => type === "renderer").map(({ id, cpuTime }) => [id, cpuTime]));
}

/** The process in which a tab runs: the one that works when the tab is made to. */
async function processOf({ tab }: Login): Promise<number> {
  const browser = tab.page.context().browser() as Browser;
  const cdp = await browser.newBrowserCDPSession();
  const before = await renderers(cdp);
  await tab.page.evaluate(() => {
    const end = performance.now() + 500;
    while (performance.now() < end);
  });
  const after = await renderers(cdp);
  const worked = [...after].map(([id, cpuTime]) => ({ id, time: cpuTime - (before.get(id) ?? 0) }));
  return worked.sort((one, other) => other.time - one.time)[0]!.id;
}

test("a tab that was suspended for twenty seconds is right again within five", async () => {
  const [a, b, gone] = (await Promise.all([1, 2, 3].map(() => signIn(stage, server.url, ann)))) as [
    Login,
    Login,
    Login,
  ];
  await haveMet([a, b, gone]);
  await a.call("Us");
  const pid = await processOf(b);

  process.kill(pid, "SIGSTOP");
  const asleep = Date.now();
  await gone.tab.close();
  const late = await signIn(stage, server.url, ann);
  await a.misses(gone);
  await late.meets(b, "Us");
  // The link to the sleeper is given up when nothing has come from it for 15 s.
  await a.tab.page.waitForFunction((id) => $BV.link(id).peek().status === "failed", b.id);
  const lostAfter = Date.now() - asleep;
  await new Promise((resolve) => setTimeout(resolve, 20_000 - lostAfter));
  process.kill(pid, "SIGCONT");
  const awake = Date.now();

  await b.tab.page.waitForFunction(
    (ids) =>
      JSON.stringify(
        $BV.peers
          .peek()
          .map(({ id }) => id)
          .sort(),
      ) === JSON.stringify(ids),
    [a.id, late.id].sort(),
  );
  const answers = await b.call("Us");
  expect(Date.now() - awake).toBeLessThan(5_000);
  expect(answers).toEqual([a, late].map(({ id }) => `Us ${id} Not Friday`).sort());
  expect(await a.call(b.id)).toEqual([`Us ${b.id} Not Friday`]);
  expect(a.tab.lines.filter((line) => line === `peerdisconnect ${b.id}`)).toEqual([]);
}, 90_000);
