import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";
import type { Tab, TestBrowser } from "../e2e.ts";
import { environment } from "../packaging/trial.ts";
import type { Step } from "./read-page.ts";

/** An app that a quick start has made, with its server for development. */
export interface RunningApp {
  readonly folder: string;
  /** `http://localhost:…/` */
  readonly url: string;
  stop(): Promise<void>;
}

/** Runs a command in a folder; throws if it fails. */
export type RunCommand = (command: string, folder: string) => void;

/** Does what a page says, in an empty folder, up to the command that starts the server. `run` runs the commands before it. */
export async function play(steps: readonly Step[], empty: string, run: RunCommand): Promise<RunningApp> {
  let folder = empty;
  for (const step of steps) {
    if ("path" in step) {
      mkdirSync(dirname(join(folder, step.path)), { recursive: true });
      writeFileSync(join(folder, step.path), step.text);
    } else if (step.command.startsWith("cd ")) folder = join(folder, step.command.slice(3));
    else if (step.command === "npm run dev") return startServer(folder);
    else run(step.command, folder);
  }
  throw new Error("The page never starts the server with `npm run dev`.");
}

/** Runs a command in a shell, as a reader does; throws its output if it fails. */
export function runInShell(command: string, folder: string): void {
  const options = { cwd: folder, env: environment(folder), encoding: "utf8" } as const;
  const { status, stdout, stderr } = spawnSync("bash", ["-euc", command], options);
  if (status !== 0) throw new Error(`${command} failed:\n${stdout}${stderr}`);
}

async function startServer(folder: string): Promise<RunningApp> {
  // A process group, since npm does not pass signals on to Vite.
  const child = spawn("npm", ["run", "dev"], { cwd: folder, env: environment(folder), detached: true });
  const ended = once(child, "exit");
  return {
    folder,
    url: await urlOf(child),
    async stop() {
      process.kill(-child.pid!, "SIGTERM");
      await ended;
    },
  };
}

async function urlOf({ stdout, stderr }: ChildProcess): Promise<string> {
  let output = "";
  stderr!.on("data", (chunk) => (output += chunk));
  for await (const line of createInterface({ input: stdout! })) {
    output += `${line}\n`;
    const url = /Local: +(\S+)/.exec(stripVTControlCharacters(line))?.[1];
    if (url !== undefined) return url;
  }
  throw new Error(`Vite ended before it printed its URL:\n${output}`);
}

/** Opens the app in two tabs, and presses the button in one. Resolves to the tabs, once the other has answered. */
export async function seeReply(browser: TestBrowser, { url }: RunningApp): Promise<readonly [Tab, Tab]> {
  const tabs = [await browser.open(url), await browser.open(url)] as const;
  await sayHello(tabs[0]);
  return tabs;
}

/** Presses the button, and waits for the reply. `word` is that of both. */
export async function sayHello({ page }: Tab, word = "Hello"): Promise<void> {
  await page.getByText("1 online").waitFor();
  await page.getByRole("button", { name: `Say ${word}` }).click();
  await page.getByText(new RegExp(`^Tab \\d+: ${word} Tab \\d+!$`)).waitFor();
}
