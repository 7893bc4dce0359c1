import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { root } from "./entries.ts";

/** Says why {@link earlierCore} has no files of this commit; undefined if it has. */
export function missingCommit(commit: string): string | undefined {
  try {
    execFileSync("git", ["cat-file", "-e", `${commit}:core/index.ts`], { cwd: root, stdio: "ignore" });
    return undefined;
  } catch {
    return `There is no commit ${commit} here: clone with the whole history.`;
  }
}

/** Writes core/ of an earlier commit below node_modules/, where it finds its dependencies. Returns the path of its index. */
export function earlierCore(commit: string): string {
  const folder = `${root}node_modules/.cache/bonevalue-earlier/${commit}`;
  if (!existsSync(folder)) {
    const archive = execFileSync("git", ["archive", commit, "core"], { cwd: root, maxBuffer: 2 ** 28 });
    mkdirSync(folder, { recursive: true });
    execFileSync("tar", ["-x", "-C", folder], { input: archive });
  }
  return `${folder}/core/index.ts`;
}
