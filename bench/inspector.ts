// What the inspector costs beside the chat example under load: node bench/inspector.ts [--seconds 60] [--rate 1000] [part of a title]
import { parseArgs } from "node:util";
import { type CDPSession, chromium, type Page } from "playwright";
import { serveExamples } from "../examples/testing/example-server.ts";
import { chromiumContext, chromiumLaunch } from "../tools/chromium.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "60" }, rate: { type: "string", default: "1000" } },
});
const seconds = Number(values.seconds);
const rate = Number(values.rate);
const sampleEverySeconds = 10;

const setups = [
  ["without the inspector", true, false],
  ["recording, panel closed", false, false],
  ["recording, panel open on Calls", false, true],
] as const;

// The inspector registers itself under this symbol. Each page gets another one before its own script runs, which makes the
// example's client a global. `off` observes nothing.
const hook = (isOff: boolean) => `{
  let registered;
  const keep = (inspect) => Object.assign(
    (options, create) => (globalThis.client = ${isOff} ? create(options) : inspect(options, create)), { logs: inspect.logs });
  Object.defineProperty(globalThis, Symbol.for("bonevalue.devtools"), {
    get: () => registered, set: (inspect) => (registered = keep(inspect)),
  });
}`;

// Each 10 ms it starts as many calls as are due, and counts the replies.
const load = `{
  globalThis.replies = 0;
  const begun = performance.now();
  let sent = 0;
  setInterval(async () => {
    const due = Math.floor(((performance.now() - begun) / 1000) * ${rate});
    for (; sent < due; sent++) client.get("*").call("Load", { text: "hello", n: sent }).first().then(() => replies++, () => {});
  }, 10);
}`;

const browser = await chromium.launch(chromiumLaunch());
const examples = await serveExamples("chat");
try {
  for (const [title, isOff, isOpen] of setups)
    if (title.includes(positionals[0] ?? "")) await measure(title, isOff, isOpen);
} finally {
  await browser.close();
  await examples.close();
}

async function measure(title: string, isOff: boolean, isOpen: boolean): Promise<void> {
  const context = await browser.newContext(chromiumContext);
  await context.addInitScript(hook(isOff));
  const open = async (who: string): Promise<Page> => {
    const page = await context.newPage();
    await page.goto(`${examples.url}chat/vue/?as=${who}#bench`);
    await page.getByText(`${who}, online`, { exact: true }).waitFor();
    return page;
  };
  const [callee, caller] = [await open("Oli"), await open("Ann")];
  await callee.evaluate(`client.module("Load", ({ request }) => request), 0`);
  await caller.getByText("Nobody else is here.").waitFor({ state: "hidden" });
  if (isOpen) {
    await caller.getByRole("button", { name: "Inspector", exact: true }).first().click();
    await caller.getByRole("tab", { name: "Calls" }).click();
  }
  await caller.evaluate(load);
  const session = await context.newCDPSession(caller);
  // Time on the processor, not time that passes while other programs run.
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  console.log(title);
  let before = await sample(caller, session);
  for (let elapsed = 0; elapsed < seconds; elapsed += sampleEverySeconds) {
    await new Promise((resolve) => setTimeout(resolve, sampleEverySeconds * 1_000));
    const after = await sample(caller, session);
    const time = after.at - before.at;
    const share = ((after.task - before.task) / time) * 100;
    const replies = (after.replies - before.replies) / time;
    console.log(
      `  ${share.toFixed(1)} % of the main thread, ${Math.round(replies)} replies/s, heap ${after.heap.toFixed(1)} MB`,
    );
    before = after;
  }
  await context.close();
}

async function sample(page: Page, session: CDPSession) {
  await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  const metric = (name: string) => metrics.find((found) => found.name === name)?.value ?? Number.NaN;
  const [at, replies] = await page.evaluate<[number, number]>("[performance.now() / 1000, replies]");
  return { at, replies, task: metric("TaskDuration"), heap: metric("JSHeapUsedSize") / 1e6 };
}
