import { appUrl } from "../parts/load.ts";
import { percentile } from "../statistics.ts";
import { limited, type Scenario } from "./scenario.ts";

const reloads = 15;

/** A page that stays signed in, and is reloaded. */
export const reload: Scenario = {
  name: "reload",
  title: `A page with \`remember: "tab"\` that is reloaded ${reloads} times, until its first call succeeds`,
  async run(environment) {
    const [page, other] = await Promise.all([environment.page(), environment.page()]);
    await other.goto(appUrl("bonevalue", other, "answer"));
    await other.waitForFunction(() => app.id());
    await page.goto(appUrl("bonevalue", page, "remember"));
    await page.evaluate(() => app.reply);
    const id = await page.evaluate(() => app.id());
    const changes = await other.evaluate(() => app.changes());
    const times: number[] = [];
    let same = 0;
    for (let reload = 0; reload < reloads; reload++) {
      await page.reload();
      times.push(await page.evaluate(() => app.reply));
      if ((await page.evaluate(() => app.id())) === id) same++;
    }
    const noticed = (await other.evaluate(() => app.changes())) - changes;
    await Promise.all([page.close(), other.close()]);
    return [
      limited("from the start of the reload to the reply, median", percentile(times, 0.5), "ms", { atMost: 500 }),
      { what: "the slowest", value: Math.max(...times), unit: "ms" },
      limited("reloads with the same peer id", same, "", { atLeast: reloads }),
      limited("arrivals and departures that the other page noticed", noticed, "", { atMost: 0 }),
    ];
  },
};
