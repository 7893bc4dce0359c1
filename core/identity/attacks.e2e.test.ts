import { afterAll, beforeAll, onTestFinished } from "vitest";
import { launch, type Tab, type TestBrowser } from "../../tools/e2e.ts";
import { testAttacks } from "./testing/attack-tests.ts";
import type { Target } from "./testing/attacks.ts";
import { createTarget } from "./testing/page-target.ts";

const html = `<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<script type="module">
  import { createClient, memoryKeyStore } from "/dist/browser.js";
  const createTarget = ${createTarget};
  globalThis.createTargetHere = (options, isOther, ...account) => {
    const identity = options === "off" ? options : { policy: options, ...(isOther && { keyStore: memoryKeyStore() }) };
    globalThis.client = createClient({ identity });
    globalThis.target = createTarget(globalThis.client, ...account);
  };
</script>`;

let browser: TestBrowser;

beforeAll(async () => {
  browser = await launch();
});

afterAll(() => browser.close());

/** A target in a tab of its own. That the attacks work without identity is tested in Node. */
testAttacks(["tofu", "require"], (username, password, { policy, host, isOther }): Target => {
  let opening: Promise<Tab> | undefined;

  async function open(): Promise<Tab> {
    const tab = await browser.open({ html });
    const options = [policy, isOther, username, password, host];
    await tab.page.waitForFunction("globalThis.createTargetHere");
    await tab.page.evaluate(`createTargetHere(...${JSON.stringify(options)})`);
    return tab;
  }

  const verb =
    (name: Exclude<keyof Target, "username">) =>
    async (...args: readonly string[]): Promise<any> => {
      opening ??= open();
      return (await opening).page.evaluate(`target.${name}(...${JSON.stringify(args)})`);
    };
  onTestFinished(async () => {
    await (await opening)?.close();
  });
  return {
    username,
    connect: verb("connect"),
    disconnect: verb("disconnect"),
    requestToken: verb("requestToken"),
    claimToken: verb("claimToken"),
    call: verb("call"),
    calls: verb("calls"),
  };
});
