import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { launch, type TestBrowser } from "../e2e.ts";
import { type Package, packages, root } from "../entries.ts";
import { install, packAll, type Tarball } from "../packed.ts";
import { play, type RunningApp, runInShell, sayHello, seeReply } from "./play.ts";
import { frameworks, readSteps } from "./read-page.ts";

let browser: TestBrowser;
let scratch: string;
let tarballs: ReadonlyMap<Package, Tarball>;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "bonevalue-quick-start-"));
  tarballs = packAll(scratch);
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  rmSync(scratch, { recursive: true });
});

/** Runs a command of a page without a registry: with the packages of this repository. */
function runOffline(command: string, folder: string): void {
  const [, create] = /^npm create vite@latest (.+)$/.exec(command) ?? [];
  if (create !== undefined) {
    runInShell(`create-vite ${create.replace("-- ", "")}`, folder);
    return;
  }
  const [, name] = /^npm install (?:-D )?(.+)$/.exec(command) ?? [];
  const one = packages.find((each) => each.name === name);
  if (!one) throw new Error(`The test cannot run this command of the page: ${command}`);
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const installed = Object.keys({ ...dependencies, ...devDependencies }).filter((each) =>
    existsSync(`${root}node_modules/${each}`),
  );
  install(one, tarballs.get(one)!, folder, installed);
}

test.for(frameworks)("the page for %s leads to a reply, and changes of its source show at once", async (framework) => {
  const steps = readSteps(framework);
  const app = await play(steps, mkdtempSync(join(scratch, "app-")), runOffline);
  onTestFinished(() => app.stop());
  const tabs = await seeReply(browser, app);
  for (const tab of tabs) {
    onTestFinished(() => tab.close());
    expect(tab.lines.filter((line) => !/\[vite\]|React DevTools/.test(line))).toEqual([]);
  }

  const source = steps.findLast((step) => "path" in step)!;
  change(app, source.path, (text) => text.replace("Say hello", "Say hi").replace("`Hello $", "`hi $"));
  await tabs[0].page.getByRole("button", { name: "Say hi" }).waitFor();
  await sayHello(tabs[1], "hi");
});

function change({ folder }: RunningApp, path: string, edit: (text: string) => string): void {
  const file = join(folder, path);
  // A rename, as editors do it: Vite can read a file while it is being rewritten, and then shows an empty page.
  writeFileSync(`${file}~`, edit(readFileSync(file, "utf8")));
  renameSync(`${file}~`, file);
}
