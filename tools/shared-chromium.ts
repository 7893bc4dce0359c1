import { chromium } from "playwright";
import { chromiumLaunch } from "./chromium.ts";

/** Starts one Chromium for all files of tests, because each start takes seconds on a busy machine. Vitest calls it. */
export default async function startSharedChromium(): Promise<() => Promise<void>> {
  const server = await chromium.launchServer(chromiumLaunch());
  // Vitest's workers inherit it.
  process.env["CHROMIUM_ENDPOINT"] = server.wsEndpoint();
  return () => server.close();
}
