import { spawn } from "node:child_process";
import { once } from "node:events";
import { startVitest, type TestCase, type TestModule } from "vitest/node";
import { behaviourTable } from "./behaviour-table.ts";
import { ensure, missingPrograms, programNames } from "./ensure.ts";
import { root } from "./entries.ts";

/** The results of one kind of tests. A check that is one command counts as one test. */
interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

const kinds = new Map<string, Tally>();

/** The skipped tests by the reason that they give. */
const skips = new Map<string, string[]>();

function count(kind: string, outcome: keyof Tally): void {
  const tally = kinds.get(kind) ?? { passed: 0, failed: 0, skipped: 0 };
  tally[outcome]++;
  kinds.set(kind, tally);
}

async function command(kind: string, program: string, ...args: readonly string[]): Promise<boolean> {
  const child = spawn(`${root}node_modules/.bin/${program}`, args, {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [code] = await once(child, "exit");
  count(kind, code === 0 ? "passed" : "failed");
  return code === 0;
}

async function runTests(): Promise<void> {
  const tally = {
    onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]) {
      for (const module of modules) countModule(module);
      for (const _ of errors) count("unhandled errors", "failed");
    },
  };
  const vitest = await startVitest("test", [], { root, run: true, reporters: ["default", tally, behaviourTable()] });
  await vitest.close();
}

function countModule(module: TestModule): void {
  const kind = module.project.name.replace(/ \(.*\)$/, "");
  // An error of a file or of a describe block, such as a hook that throws, skips the tests in it.
  const broken = [module, ...module.children.allSuites()].filter((block) => block.errors().length > 0);
  for (const _ of broken) count(kind, "failed");
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    if (state === "skipped") countSkip(kind, test, broken.length > 0);
    else count(kind, state === "pending" ? "failed" : state);
  }
}

function countSkip(kind: string, test: TestCase, isBroken: boolean): void {
  const { note } = test.result() as { readonly note?: string };
  const reason =
    note ?? (isBroken ? "A hook or an import of the file failed." : "The test gives no reason for its skip. Add one.");
  count(kind, note !== undefined || isBroken ? "skipped" : "failed");
  skips.set(reason, [...(skips.get(reason) ?? []), `${kind}: ${test.module.relativeModuleId}: ${test.fullName}`]);
}

function report(): void {
  const row = (kind: string, ...cells: readonly (string | number)[]) =>
    console.log(kind.padEnd(18) + cells.map((cell) => String(cell).padStart(9)).join(""));
  row("\nkind", "passed", "failed", "skipped");
  for (const [kind, { passed, failed, skipped }] of kinds) row(kind, passed, failed, skipped);
  for (const [reason, tests] of skips) console.log([`\nskipped: ${reason}`, ...tests].join("\n  "));
  const sum = (outcome: keyof Tally) => [...kinds.values()].reduce((total, tally) => total + tally[outcome], 0);
  const skipped = sum("skipped") > 0 ? `, ${sum("skipped")} skipped` : "";
  console.log(`\n${sum("passed")} passed, ${sum("failed")} failed${skipped}`);
  if (sum("failed") > 0) process.exitCode = 1;
}

// One installation of everything. Tests without the other programs are skipped.
const missing = missingPrograms(...programNames);
if (missing) console.log(missing);
ensure("chromium", "postgres", "redis");
const [built] = await Promise.all([
  command("build", "rollup", "-c", "--silent"),
  command("types", "tsc", "-p", "."),
  command("types", "tsc", "-p", "tsconfig.core.json"),
  command("types", "vue-tsc", "-p", "tsconfig.vue.json"),
  command("types", "svelte-check", "--threshold", "warning"),
  command("lint", "biome", "lint", "."),
  command("format", "biome", "format", "."),
]);
if (built) {
  await command("size", "size-limit");
  await runTests();
}
report();
process.exit();
