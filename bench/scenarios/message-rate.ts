import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Page } from "playwright";
import { earlierCore } from "../../tools/earlier-core.ts";
import type { LoopbackEnvironment } from "../environment.ts";
import { paired, type Summary, summarise } from "../statistics.ts";
import { shareDuring } from "../task-share.ts";
import { limited, type Scenario } from "./scenario.ts";

const rate = 10_000;
const time = 4_000;
const rounds = 5;
// The last commit whose messages have no acknowledgements.
const before = "2033a567681298faa7a02d6c6c5d3190a0c32db7^";
const [sender, receiver] = ["0".repeat(32), "f".repeat(32)];

/** What the flow control of messages costs, against this library before it had one. */
export const messageRate: Scenario = {
  name: "message-rate",
  title: `${rate} messages a second to one peer, beside the build without flow control, in ${rounds} rounds`,
  async run(environment) {
    const pairs = [await open(environment, undefined), await open(environment, earlierCore(before))] as const;
    for (const pair of pairs) await measure(pair);
    const shares: Shares[][] = [[], []];
    for (let round = 0; round < rounds; round++) {
      for (const index of round % 2 === 0 ? [0, 1] : [1, 0]) shares[index]!.push(await measure(pairs[index]!));
    }
    for (const { from, to } of pairs) await Promise.all([from.close(), to.close()]);
    const [own, earlier] = shares as [Shares[], Shares[]];
    const of = (all: readonly Shares[], key: keyof Shares): Summary => summarise(all.map((shares) => shares[key]));
    const ratio = (key: keyof Shares): number =>
      summarise(
        paired(
          own.map((shares) => shares[key]),
          earlier.map((shares) => shares[key]),
        ),
      ).median;
    return [
      { what: "share of the sender's main thread before", value: of(earlier, "sending").median },
      limited("the same now, against before", ratio("sending"), "", { atMost: 1.15 }),
      { what: "share of the receiver's main thread before", value: of(earlier, "receiving").median },
      limited("the same now, against before", ratio("receiving"), "", { atMost: 1.15 }),
      limited("least share of messages that arrived in a round", of(own, "arrived").least, "", { atLeast: 1 }),
    ];
  },
};

interface Shares {
  readonly sending: number;
  readonly receiving: number;
  readonly arrived: number;
}

interface RatePair {
  readonly from: Page;
  readonly to: Page;
}

let rooms = 0;

/** Two pages with the library at `core`, by default the present one. */
async function open(environment: LoopbackEnvironment, core: string | undefined): Promise<RatePair> {
  const [from, to] = await Promise.all([environment.page(), environment.page()]);
  const content = await bundleWith(core);
  for (const page of [from, to]) await page.addScriptTag({ content, type: "module" });
  const room = `message rate ${++rooms}`;
  await to.evaluate((names) => ratePage.receive(...names), [room, receiver, sender] as const);
  await from.evaluate((names) => ratePage.open(...names), [room, sender, receiver] as const);
  return { from, to };
}

async function bundleWith(core: string | undefined): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("../page/message-rate.ts", import.meta.url))],
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
    plugins: [
      {
        name: "earlier core",
        setup({ onResolve }) {
          if (core !== undefined) onResolve({ filter: /\/core\/index\.ts$/ }, () => ({ path: core }));
        },
      },
    ],
  });
  return outputFiles[0]!.text;
}

async function measure({ from, to }: RatePair): Promise<Shares> {
  const before = await to.evaluate(() => ratePage.received());
  let sent = 0;
  let sending = 0;
  const receiving = await shareDuring(to, async () => {
    sending = await shareDuring(from, async () => {
      sent = await from.evaluate(([rate, time]) => ratePage.send(rate, time), [rate, time] as const);
    });
  });
  await to.waitForFunction((count) => ratePage.received() >= count, before + sent, { timeout: 10_000 }).catch(() => {});
  const arrived = (await to.evaluate(() => ratePage.received())) - before;
  return { sending, receiving, arrived: arrived / sent };
}
