import { execFileSync } from "node:child_process";
import { globSync, statSync } from "node:fs";
import { root } from "./entries.ts";

const sources = "{{core,bindings,reference-server}/**/*,rollup.config.mjs,tools/entries.ts,package-lock.json}";

/** Builds dist/ unless it is younger than every source. Vitest calls it before the kinds of tests that look at dist/. */
export default function ensureBuilt(): void {
  const built = statSync(`${root}dist/core/index.js`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const changed = globSync(sources, { cwd: root }).some((path) => statSync(root + path).mtimeMs > built);
  if (changed) execFileSync("npm", ["run", "--silent", "build"], { cwd: root, stdio: "inherit" });
}
