import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { defaultLimits } from "./limits.ts";
import { defaultRelayLimits } from "./relay/limits.ts";

const page = readFileSync(new URL("../docs/security.md", import.meta.url), "utf8");
const guarantees = [...page.matchAll(/^\| .* \| `(?<file>[\w/.-]+\.ts)`: (?<title>.+) \|$/gm)].map(
  ({ groups }) => groups!,
);

test("every guarantee of docs/security.md names a test that exists", () => {
  expect(guarantees.length).toBeGreaterThan(50);
  for (const { file, title } of guarantees) {
    const source = readFileSync(new URL(file!, import.meta.url), "utf8");
    const named = new RegExp(`\\(\\s*"${escaped(title!)}"`).test(source);
    expect(named, `${file} has no test "${title}"`).toBe(true);
  }
});

test("every row of the tables of guarantees is parsed", () => {
  const tables = page.split("## No guarantees")[0]!;
  const rows = tables.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| guarantee"));
  expect(rows).toHaveLength(guarantees.length);
});

test("docs/security.md lists every limit with its default", () => {
  const [ofServer, ofRelay] = page.split("### Limits of relayed links");
  expect(limitsIn(ofServer!)).toEqual(defaultLimits);
  expect(limitsIn(ofRelay!)).toEqual(defaultRelayLimits);
});

function limitsIn(text: string): Readonly<Record<string, number>> {
  const listed = new Map<string, number>();
  for (const [, names, values] of text.matchAll(/^\| (`[\w`, ]+`) \| ([\d ,]+) \|/gm)) {
    const numbers = values!.split(",").map((value) => Number(value.replaceAll(/\s/g, "")));
    for (const [at, name] of names!.split(",").entries()) listed.set(name.trim().replaceAll("`", ""), numbers[at]!);
  }
  return Object.fromEntries(listed);
}

function escaped(title: string): string {
  return title.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
