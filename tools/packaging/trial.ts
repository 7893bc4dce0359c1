import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { root } from "../entries.ts";

/** A small program that uses the packed packages with one tool. */
export interface Trial {
  readonly name: string;
  /** The program and the tool's configuration, by path. */
  readonly files: Readonly<Record<string, string>>;
  /** Run in order; the first word is a program of node_modules/.bin or of the machine. */
  readonly commands: readonly (readonly string[])[];
  /** What the last command prints, among other things. */
  readonly prints?: string;
  /** Packages that the program needs beside ours, with their versions. The first is the tool. */
  readonly packages: Readonly<Record<string, string>>;
}

/** How a trial ended. */
export interface Outcome {
  /** Undefined if it passed. */
  readonly failure: string | undefined;
  readonly seconds: number;
}

const longestMs = 240_000;

/** Writes a trial's files to `folder`, in which its packages are installed, and runs its commands. */
export function runTrial({ files, commands, prints = "" }: Trial, folder: string): Outcome {
  const started = performance.now();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  let failure: string | undefined;
  let output = "";
  for (const [program = "", ...args] of commands) {
    if (failure !== undefined) break;
    const ended = spawnSync(program, args, {
      cwd: folder,
      env: environment(folder),
      encoding: "utf8",
      timeout: longestMs,
    });
    output = `${ended.stdout}${ended.stderr}${ended.error ?? ""}`;
    if (ended.status !== 0) failure = `${program} failed:\n${output}`;
  }
  if (failure === undefined && !output.includes(prints)) failure = `"${prints}" was not printed:\n${output}`;
  return { failure, seconds: (performance.now() - started) / 1_000 };
}

/** The environment of a command: with the programs of its folder and of this repository, and nothing of the caller. */
export function environment(folder: string): NodeJS.ProcessEnv {
  const path = [join(folder, "node_modules/.bin"), `${root}node_modules/.bin`, process.env["PATH"]].join(delimiter);
  const { NODE_OPTIONS: _, VITEST: __, NODE_ENV: ___, ...env } = process.env;
  return { ...env, PATH: path, CI: "1", npm_config_yes: "true", FORCE_COLOR: "0", NEXT_TELEMETRY_DISABLED: "1" };
}
