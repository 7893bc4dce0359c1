import { randomInt } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startVitest, type TestCase } from "vitest/node";
import { root } from "./entries.ts";

/** Runs the property and simulation tests with one random seed after the other, and prints how to repeat each failure. */

const { values, positionals } = parseArgs({
  options: { minutes: { type: "string", default: "10" } },
  allowPositionals: true,
});
const end = Date.now() + Number(values.minutes) * 60_000;
const files = globSync("{core,reference-server,examples}/**/*.test.ts", { cwd: root })
  .filter((file) => !/\.(dom|browser|e2e)\.test/.test(file) && file.includes(positionals[0] ?? ""))
  .filter((file) => readFileSync(root + file, "utf8").includes("tools/property.ts"));
if (files.length === 0) throw new Error(`No property test has ${positionals[0]} in its path.`);

let rounds = 0;
let failures = 0;

/** Runs each file once with a seed of its own. */
async function runRound(): Promise<void> {
  const seed = randomInt(2 ** 31);
  process.env["SEED"] = String(seed);
  const vitest = await startVitest("test", files, {
    root,
    run: true,
    project: ["unit"],
    // It runs for long beside other work.
    testTimeout: 600_000,
    reporters: [{ onTestCaseResult: (test) => reportFailure(test, seed) }],
  });
  await vitest.close();
  // Vitest sets it when a test fails; the last line of this file decides.
  process.exitCode = 0;
  console.log(`Round ${++rounds} had SEED=${seed}.`);
}

function reportFailure(test: TestCase, seed: number): void {
  const { state, errors = [] } = test.result();
  if (state !== "failed") return;
  failures++;
  // fast-check hands the error of the case over as the cause.
  const message = errors.map(({ message, cause }) => [message, cause?.message].join("\n")).join("\n");
  const path = /path: "([\d:]+)"/.exec(message)?.[1];
  const title = JSON.stringify(test.fullName.replaceAll(/[$()*+.?[\\\]^`{|}]/g, "."));
  const environment = path === undefined ? `SEED=${seed}` : `SEED=${seed} SEED_PATH=${path}`;
  console.log(
    [
      `\nFAILED: ${test.fullName}`,
      message,
      `Repeat it: ${environment} npm run test:unit -- ${test.module.relativeModuleId} -t ${title}`,
    ].join("\n"),
  );
}

console.log(`Soaking ${files.length} files for ${values.minutes} minutes.`);
while (rounds === 0 || Date.now() < end) await runRound();
console.log(`\n${rounds} rounds, ${failures} failures`);
process.exit(failures > 0 ? 1 : 0);
