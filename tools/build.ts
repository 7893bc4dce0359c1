import { execFileSync } from "node:child_process";
import { globSync, statSync } from "node:fs";
import { root } from "./entries.ts";

const sources = [
  "{core,bindings,reference-server}/**/*",
  "rollup.config.mjs",
  "tools/{entries,license-file}.ts",
  "package-lock.json",
];
// The folders too: a new dist/ would otherwise count as a changed source.
const exclude = ["**/{dist,node_modules}", "**/{dist,node_modules}/**"];

/** Builds every dist/ unless it is newer than its sources. Vitest calls it before tests that use dist/. */
export default function ensureBuilt(): void {
  const built = statSync(`${root}dist/core/index.js`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const changed = globSync(sources, { cwd: root, exclude }).some((path) => statSync(root + path).mtimeMs > built);
  if (changed) execFileSync("npm", ["run", "--silent", "build"], { cwd: root, stdio: "inherit" });
}
