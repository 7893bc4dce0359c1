import type { Page } from "playwright";
import type { Pair } from "../environment.ts";
import { median } from "../statistics.ts";
import { highWaterMarks, type Part } from "./part.ts";

const loads = 5;

/** The time from the start of a navigation to the first reply, each library in a page of its own with its own server. */
export const load: Part = {
  name: "load",
  libraries: ["bonevalue", "PeerJS"],
  highWaterMark: highWaterMarks.latency,
  warm: false,
  metrics: [
    {
      key: "time",
      title: "From the start of a page's load to its first reply: a peer in the same room, and a known id with PeerJS",
      unit: "ms",
      better: "less",
      goals: [{ against: "PeerJS", atMost: 1 }],
    },
  ],
  async measure({ name, caller, callee }) {
    await waitForAnswers(name, callee);
    const times: number[] = [];
    for (let load = 0; load < loads; load++) {
      await caller.goto(appUrl(name, caller));
      times.push(await caller.evaluate(() => app.reply));
    }
    return { time: median(times) };
  },
};

/** Loads the page that answers, once. */
async function waitForAnswers(name: Pair["name"], page: Page): Promise<void> {
  const url = appUrl(name, page, "answer");
  if (page.url() === url) return;
  await page.goto(url);
  await page.waitForFunction(() => app.id());
}

/** The address of the page of one library, on the site of another page. */
export function appUrl(name: Pair["name"], page: Page, ...flags: readonly string[]): string {
  const url = new URL(page.url());
  url.pathname = `/apps/${name.toLowerCase()}`;
  for (const flag of ["answer", "remember"]) url.searchParams.delete(flag);
  for (const flag of flags) url.searchParams.set(flag, "");
  return url.href;
}
