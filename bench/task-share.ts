import type { Page } from "playwright";

/** The share of time in which the page's main thread runs a task, while `work` runs. */
export async function shareDuring(page: Page, work: () => Promise<void>): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const metric = async (name: string) => {
    const { metrics } = await session.send("Performance.getMetrics");
    return metrics.find((found) => found.name === name)?.value ?? Number.NaN;
  };
  const [tasks, begun] = [await metric("TaskDuration"), await metric("Timestamp")];
  await work();
  const [tasksAfter, ended] = [await metric("TaskDuration"), await metric("Timestamp")];
  await session.detach();
  return (tasksAfter - tasks) / (ended - begun);
}
