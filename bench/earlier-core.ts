import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { root } from "../tools/entries.ts";

/** Writes core/ of an earlier commit below node_modules/, where it finds its dependencies. Returns the path of its index. */
export function earlierCore(commit: string): string {
  const folder = `${root}node_modules/.cache/bonevalue-bench/${commit}`;
  if (!existsSync(folder)) {
    const archive = execFileSync("git", ["archive", commit, "core"], { cwd: root, maxBuffer: 2 ** 28 });
    mkdirSync(folder, { recursive: true });
    execFileSync("tar", ["-x", "-C", folder], { input: archive });
  }
  return `${folder}/core/index.ts`;
}
