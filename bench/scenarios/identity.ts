import type { Page } from "playwright";
import type { LoopbackEnvironment } from "../environment.ts";
import type { Sample } from "../page/identity.ts";
import { paired, summarise } from "../statistics.ts";
import { limited, type Scenario } from "./scenario.ts";

const rounds = 40;
const policies = ["off", "tofu"] as const;
type Policy = (typeof policies)[number];

/** What signed connections cost. */
export const identity: Scenario = {
  name: "identity",
  title: `Two pages with identity "tofu", against "off", in ${rounds} pairs of rounds`,
  async run(environment) {
    const pages = { off: await openPages("off", environment), tofu: await openPages("tofu", environment) };
    const found: Record<Policy, Sample[]> = { off: [], tofu: [] };
    // One round more, in which the code becomes warm.
    for (let round = 0; round <= rounds; round++) {
      for (const policy of round % 2 === 0 ? policies : policies.toReversed()) {
        const sample = await pages[policy].caller.evaluate(() => bench.identity.measure());
        if (round > 0) found[policy].push(sample);
      }
    }
    await Promise.all(Object.values(pages).flatMap(({ caller, callee }) => [caller.close(), callee.close()]));
    const of = (policy: Policy, key: keyof Sample) => found[policy].map((sample) => sample[key]);
    const ratio = (key: keyof Sample) => summarise(paired(of("tofu", key), of("off", key))).median;
    return [
      {
        what: 'the first call on a new link, "off", median',
        value: summarise(of("off", "firstCall")).median,
        unit: "ms",
      },
      { what: 'the same with "tofu"', value: summarise(of("tofu", "firstCall")).median, unit: "ms" },
      limited('the median of "tofu" / "off"', ratio("firstCall"), "", { atMost: 1.15 }),
      { what: 'calls with 256 in flight, "off", median', value: summarise(of("off", "calls")).median, unit: "/s" },
      limited('the median of "tofu" / "off"', ratio("calls"), "", { atLeast: 0.95 }),
      limited("descriptions for a link", Math.max(...of("tofu", "descriptions")), "", { atMost: 2 }),
    ];
  },
};

/** Opens two pages that know each other. */
async function openPages(policy: Policy, environment: LoopbackEnvironment): Promise<{ caller: Page; callee: Page }> {
  const [caller, callee] = await Promise.all([environment.page(), environment.page()]);
  const [own, other] = ["0".repeat(32), "f".repeat(32)];
  const enter = (page: Page, ...ids: [own: string, other: string]) =>
    page.evaluate((parameters) => bench.identity.enter(...parameters), [policy, ...ids] as const);
  await enter(callee, other, own);
  await enter(caller, own, other);
  return { caller, callee };
}
