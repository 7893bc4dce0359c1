// Tries the packed packages with tools that are no devDependencies: npm run test:packaging -- [words of names]
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ensureBuilt from "../build.ts";
import { launch } from "../e2e.ts";
import { client } from "../entries.ts";
import { packAll } from "../packed.ts";
import { frameworks } from "../quick-start/read-page.ts";
import { otherBundlers, ownBundlers } from "./bundlers.ts";
import { nextTrials } from "./next.ts";
import { tryQuickStart } from "./quick-starts.ts";
import { runtimes } from "./runtimes.ts";
import { type Outcome, runTrial, type Trial } from "./trial.ts";
import { typescriptTrials } from "./typescript.ts";

const typescripts = ["5.7", "5.8", "5.9", "6", "7"];
const trials: readonly Trial[] = [
  ...ownBundlers,
  ...otherBundlers,
  ...nextTrials,
  ...runtimes,
  ...typescripts.flatMap((version) => typescriptTrials(version)),
];

const wanted = process.argv.slice(2).map((word) => word.toLowerCase());
const isWanted = (name: string) => wanted.length === 0 || wanted.some((word) => name.toLowerCase().includes(word));

ensureBuilt();
const scratch = mkdtempSync(join(tmpdir(), "bonevalue-packaging-"));
const tarballs = [...packAll(scratch)].map(([{ name }, { path }]) => ({ name, path }));
const failures: string[] = [];

row("name", "version", "result", "seconds");
if (isWanted("npm install")) tryInstall();
// Trials of one tool share its installation.
const folders = new Map<string, { folder: string; failure: string | undefined }>();
for (const trial of trials.filter(({ name }) => isWanted(name))) {
  const { folder, failure } = installed(trial);
  const version = versionOf(folder, Object.keys(trial.packages)[0]!);
  report(trial.name, version, failure === undefined ? runTrial(trial, folder) : { failure, seconds: 0 });
}
await tryQuickStarts();
for (const failure of failures) console.log(`\n${failure}`);
rmSync(scratch, { recursive: true, force: true });
process.exitCode = failures.length > 0 ? 1 : 0;

function installed({ packages: needed }: Trial): { folder: string; failure: string | undefined } {
  const key = JSON.stringify(needed);
  const known = folders.get(key);
  if (known) return known;
  const folder = join(scratch, `app-${folders.size}`);
  mkdirSync(folder);
  const specs = Object.entries(needed).map(([name, version]) => `${name}@${version}`);
  const failure = npmInstall(folder, [...tarballs.map(({ path }) => path), ...specs]);
  folders.set(key, { folder, failure });
  return { folder, failure };
}

/** Installs into an empty project; returns why that failed. */
function npmInstall(folder: string, specs: readonly string[]): string | undefined {
  writeFileSync(join(folder, "package.json"), "{}");
  const args = ["install", "--no-audit", "--no-fund", "--prefer-offline", ...specs];
  const { status, stdout, stderr } = spawnSync("npm", args, { cwd: folder, encoding: "utf8" });
  return status === 0 ? undefined : `npm install failed:\n${stdout}${stderr}`;
}

/** The client alone in an empty folder: few packages, few bytes, no script, no warning. */
function tryInstall(): void {
  const started = performance.now();
  const folder = join(scratch, "empty");
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), "{}");
  const path = tarballs.find(({ name }) => name === client.name)!.path;
  const args = ["install", "--no-audit", "--no-fund", path];
  const { status, stdout, stderr } = spawnSync("npm", args, { cwd: folder, encoding: "utf8" });
  const seconds = (performance.now() - started) / 1_000;
  const lock = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"));
  const names = Object.keys(lock.packages).filter((key) => key !== "");
  const scripts = names.filter((name) => lock.packages[name].hasInstallScript);
  const [kilobytes] = execFileSync("du", ["-sk", "node_modules"], { cwd: folder, encoding: "utf8" }).split("\t");
  const megabytes = (Number(kilobytes) * 1_024) / 1e6;
  const said = `${names.length} packages, ${megabytes.toFixed(1)} MB`;
  const good = status === 0 && names.length <= 6 && megabytes <= 5 && scripts.length === 0 && !/warn/i.test(stderr);
  const failure = good ? undefined : `${said}, scripts: ${scripts.join(" ") || "none"}\n${stdout}${stderr}`;
  report(`npm install: ${said}`, lock.packages[`node_modules/${client.name}`].version, { failure, seconds });
}

async function tryQuickStarts(): Promise<void> {
  const chosen = frameworks.filter((framework) => isWanted(nameOf(framework)));
  if (chosen.length === 0) return;
  const paths = new Map(tarballs.map(({ name, path }) => [name, path]));
  const browser = await launch();
  for (const framework of chosen) {
    const { folder, ...outcome } = await tryQuickStart(framework, browser, paths, scratch);
    report(nameOf(framework), versionOf(folder, "vite"), outcome);
  }
  await browser.close();

  function nameOf(framework: string): string {
    return `Quick start, ${framework}`;
  }
}

function versionOf(folder: string, name: string): string {
  const file = join(folder, "node_modules", name, "package.json");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).version : "";
}

function report(name: string, version: string, { failure, seconds }: Outcome): void {
  row(name, version, failure === undefined ? "passed" : "failed", seconds.toFixed(1));
  if (failure !== undefined) failures.push(`${name} ${version}: ${failure}`);
}

function row(name: string, version: string, result: string, seconds: string): void {
  console.log(name.padEnd(36) + version.padEnd(10) + result.padEnd(8) + seconds.padStart(8));
}
