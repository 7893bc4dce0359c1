import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import type { TestBrowser } from "../e2e.ts";
import { play, type RunningApp, runInShell, seeReply } from "../quick-start/play.ts";
import { type Framework, readSteps } from "../quick-start/read-page.ts";
import type { Outcome } from "./trial.ts";

/**
 * Plays the quick start of a framework as its page says, with packages of the registry and our tarballs. Counts the seconds
 * from the empty folder to the first reply, and then builds the app, which checks its types.
 */
export async function tryQuickStart(
  framework: Framework,
  browser: TestBrowser,
  tarballs: ReadonlyMap<string, string>,
  scratch: string,
): Promise<Outcome & { readonly folder: string }> {
  const started = performance.now();
  const empty = mkdtempSync(join(scratch, "quick-start-"));
  const run = (command: string, folder: string) =>
    runInShell(
      command.replace(/(?<=^npm install .*)\S+$/, (name) => tarballs.get(name) ?? name),
      folder,
    );
  let app: RunningApp | undefined;
  let failure: string | undefined;
  let seconds = Number.NaN;
  try {
    app = await play(readSteps(framework), empty, run);
    const tabs = await seeReply(browser, app);
    seconds = (performance.now() - started) / 1_000;
    for (const tab of tabs) await tab.close();
    runInShell("npm run build", app.folder);
  } catch (error) {
    failure = String(error);
  }
  await app?.stop();
  return { failure, seconds, folder: app?.folder ?? empty };
}
