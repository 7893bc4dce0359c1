import type { Reporter, TestCase } from "vitest/node";

/** A reporter that prints a table of the conformance tests: behaviour × framework × environment. */
export function behaviourTable(): Reporter {
  return {
    onTestRunEnd(modules) {
      const tests = modules.flatMap((module) => [...module.children.allTests()]).filter((test) => test.meta().binding);
      if (tests.length > 0) console.log(tableOf(tests));
    },
  };
}

function tableOf(tests: readonly TestCase[]): string {
  const behaviours = new Map<string, Map<string, string>>();
  const columns = new Set<string>();
  const reasons = new Set<string>();
  for (const test of tests) {
    const column = `${test.meta().binding}, ${environmentOf(test)}`;
    columns.add(column);
    const row = behaviours.get(test.name) ?? new Map<string, string>();
    behaviours.set(test.name, row.set(column, markOf(test)));
    const result = test.result();
    if (result.state === "skipped") reasons.add(`– ${column}: ${test.name}: ${result.note ?? "not run"}`);
  }
  const names = [...columns].sort();
  const width = Math.max(...[...behaviours.keys()].map(({ length }) => length)) + 2;
  const heads = names.map((name, index) => `${"│ ".repeat(index)}┌ ${name}`);
  return [
    "",
    ...heads.map((head) => " ".repeat(width) + head),
    ...[...behaviours].map(
      ([name, row]) => name.padEnd(width) + names.map((column) => row.get(column) ?? " ").join(" "),
    ),
    ...reasons,
    "",
  ].join("\n");
}

function environmentOf(test: TestCase): string {
  return test.project.name.startsWith("dom") ? "happy-dom" : "Chromium";
}

function markOf(test: TestCase): string {
  return { passed: "✓", failed: "✗", skipped: "–", pending: "…" }[test.result().state];
}
