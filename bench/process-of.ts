import { readdir, readFile } from "node:fs/promises";
import type { Page } from "playwright";

// Chromium does not say which process a page is in: it is the one that works while the page does.
const spinning = 150;

/** The process that runs a page's scripts, among the children of this one. Linux only. */
export async function processOf(page: Page): Promise<number> {
  const before = await cpuTimes();
  await page.evaluate((time) => bench.spin(time), spinning);
  const after = await cpuTimes();
  const worked = [...after].map(([pid, time]) => [pid, time - (before.get(pid) ?? 0)] as const);
  return worked.reduce((a, b) => (b[1] > a[1] ? b : a), [0, 0] as const)[0];
}

/** Bytes that only this process uses, in memory or swapped out. */
export async function memoryOf(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
  const kilobytes = [...rollup.matchAll(/^(?:Private_\w+|Swap):\s+(\d+) kB/gm)].map(([, size]) => Number(size));
  return kilobytes.reduce((sum, size) => sum + size, 0) * 1_024;
}

/** Nanoseconds of processor time of every renderer's main thread. */
async function cpuTimes(): Promise<Map<number, number>> {
  const times = new Map<number, number>();
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    try {
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8");
      if (!command.includes("--type=renderer")) continue;
      const [time] = (await readFile(`/proc/${pid}/task/${pid}/schedstat`, "utf8")).split(" ");
      times.set(Number(pid), Number(time));
    } catch {
      // It has ended meanwhile.
    }
  }
  return times;
}
