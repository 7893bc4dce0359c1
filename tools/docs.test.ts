import { spawnSync } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile } from "./compile.ts";
import { packages, root } from "./entries.ts";
import { readSteps, stepsOf } from "./quick-start/read-page.ts";
import { type Program, programsOf, snippetsOf } from "./snippets.ts";

// Commands in a new app are run by the test of the quick starts.
const programs = globSync(["{,reference-server/}README.md", "docs/**/*.md"], {
  cwd: root,
  exclude: ["docs/api/**"],
}).flatMap((path) =>
  programsOf(snippetsOf(path, readFileSync(root + path, "utf8")).filter(({ words }) => !words.includes("app"))),
);
const written = (...languages: readonly string[]) => programs.filter(({ language }) => languages.includes(language));
// Only the scripts are compiled, without the markup.
const components = written("vue", "svelte").map((program) => ({
  ...program,
  language: "ts",
  text: program.text.replace(/[\s\S]*<script\b[^>]*>([\s\S]*)<\/script>[\s\S]*/, "$1"),
}));
const scripts: readonly string[] = Object.keys(JSON.parse(readFileSync(`${root}package.json`, "utf8")).scripts);

// An app's folder whose packages link to the built packages of this repository.
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "bonevalue-docs-"));
  mkdirSync(join(folder, "node_modules", ".bin"), { recursive: true });
  for (const { name, folder: source } of packages) symlinkSync(root + source, join(folder, "node_modules", name));
  // What the documentation tells apps in Node to install.
  symlinkSync(`${root}node_modules/node-datachannel`, join(folder, "node_modules", "node-datachannel"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(program: string, ...args: readonly string[]): { failure: string; output: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: "utf8", timeout: 30_000 });
  return { failure: status === 0 ? "" : `It ended with ${status}.\n${stderr}`, output: stdout };
}

describe("code blocks in the documentation", () => {
  const typed = compileAll([...written("ts", "tsx"), ...components], "strict");
  const loose = compileAll(written("js"), "loose");

  test.for([...written("ts", "tsx"), ...components])("$location compiles", (program) => {
    expect(typed(program)).toEqual([]);
  });

  test.for(written("js"))("$location compiles", (program) => {
    expect(loose(program)).toEqual([]);
  });

  test.for(written("ts", "js").filter((program) => program.run))("$location runs", ({ language, text, output }) => {
    const file = join(folder, `program.m${language}`);
    writeFileSync(file, text);
    const ended = run(process.execPath, file);
    expect(ended.failure).toBe("");
    if (output !== undefined) expect(ended.output).toBe(output);
  });

  test.for(written("sh").filter((program) => program.run))("$location runs in a shell", ({ text, output }) => {
    const ended = run("bash", "-euo", "pipefail", "-c", text);
    expect(ended.failure).toBe("");
    if (output !== undefined) expect(ended.output).toBe(output);
  });

  test.for(written("sh"))("$location calls only npm scripts that exist", ({ text }) => {
    const called = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name);
    expect(called.filter((name) => !scripts.includes(name as string))).toEqual([]);
  });

  test.for(written("json"))("$location is JSON", ({ text }) => {
    expect(() => JSON.parse(text)).not.toThrow();
  });
});

test("the quick start of the README is that of its page", () => {
  expect(stepsOf("README.md")).toEqual(readSteps("vanilla"));
});

describe("the check itself", () => {
  const markdown = `
\`\`\`ts run
console.log(1);
\`\`\`

\`\`\`ts more
console.log(2);
\`\`\`

\`\`\`text output
1
2
\`\`\`
`;

  test("joins the blocks of a program, and finds its output", () => {
    const text = "console.log(1);\n\nconsole.log(2);\n";
    expect(programsOf(snippetsOf("a.md", markdown))).toEqual([
      { location: "a.md:3", language: "ts", text, run: true, output: "1\n2\n" },
    ]);
  });

  test("reports a missing export", () => {
    const [program] = programsOf(snippetsOf("a.md", "```ts\nimport { nope } from 'bonevalue';\n```\n"));
    expect(compileAll([program!], "strict")(program!)).toHaveLength(1);
  });
});

/** Compiles programs against the built package. Returns a function that gives the errors of each. */
function compileAll(shown: readonly Program[], how: "strict" | "loose"): (program: Program) => readonly string[] {
  const paths = new Map(shown.map((program, index) => [program, `docs/program-${how}-${index}.${program.language}`]));
  const overlay = Object.fromEntries(shown.map((program) => [paths.get(program), program.text]));
  const { errors } = compile([...paths.values(), "dist/global.d.ts", "examples/vue.d.ts"], overlay, {
    paths: {},
    moduleDetection: ts.ModuleDetectionKind.Force,
    isolatedDeclarations: false,
    ...(how === "loose" && { allowJs: true, checkJs: true, strict: false, exactOptionalPropertyTypes: false }),
  });
  return (program) => errors(paths.get(program)!);
}
