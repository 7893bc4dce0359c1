#!/usr/bin/env node
import { nodeProblem } from "./node-version.ts";

const problem = nodeProblem();
if (problem !== undefined) {
  console.error(problem);
  process.exit(1);
}

// Loaded after the check: these files do not load on an older Node.
const { run } = await import("./command/run.ts");
process.exitCode = await run(process.argv.slice(2));
