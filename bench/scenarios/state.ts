import { limited, type Scenario } from "./scenario.ts";

const subscribers = 500;

/** Many peers, and views of some of them. */
export const state: Scenario = {
  name: "state",
  title: `10 000 peers of 500 users known, ${subscribers} subscribers, each to the list of one user`,
  async run(environment) {
    const page = await environment.page();
    const few = await page.evaluate((subscribers) => bench.measureState(1_000, subscribers), subscribers);
    const many = await page.evaluate((subscribers) => bench.measureState(10_000, subscribers), subscribers);
    await page.close();
    return [
      { what: "one arrival", value: many.connect, unit: "µs" },
      { what: "one departure", value: many.disconnect, unit: "µs" },
      { what: "one link change", value: many.linkChange, unit: "µs" },
      limited("subscribers that hear of one arrival or departure", many.notified, "", { atMost: 1 }),
      limited("an arrival, against one among a tenth of the peers", many.connect / few.connect, "", { atMost: 3 }),
      limited("a link change, against one among a tenth of the peers", many.linkChange / few.linkChange, "", {
        atMost: 3,
      }),
    ];
  },
};
