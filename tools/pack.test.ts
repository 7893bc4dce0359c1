import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { entries, root } from "./entries.ts";

const { dependencies, peerDependencies, bin } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
const importable = entries.filter(({ subpath }) => subpath !== undefined);

// What is there after an import that was not there before it, once the loader has let go of its files. Node's own
// streams and fetch appear at their first use, whoever uses them; what a framework leaves behind is its own affair.
const probe = `
  const [entry, framework] = process.argv.slice(1);
  if (framework) await import(framework);
  void [process.stdout, process.stderr, globalThis.Request];
  const globals = Reflect.ownKeys(globalThis);
  const resources = process.getActiveResourcesInfo();
  await import(entry);
  await new Promise(setImmediate);
  console.log(JSON.stringify({
    globals: Reflect.ownKeys(globalThis).filter((name) => !globals.includes(name)).map(String),
    resources: process.getActiveResourcesInfo().filter((name) => !resources.includes(name)),
  }));`;

let folder: string;
let tarball: string;
let home: string;
let files: readonly string[];

// An app that has installed the tarball: its dependencies are linked from here, so that nothing is downloaded.
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "bonevalue-pack-"));
  const out = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], { cwd: root });
  const [packed] = Object.values(JSON.parse(out.toString())) as { filename: string; files: { path: string }[] }[];
  tarball = join(folder, packed!.filename);
  files = packed!.files.map(({ path }) => path);
  home = join(folder, "node_modules", "bonevalue");
  mkdirSync(home, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", home, "--strip-components=1"]);
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) link(name);
});

afterAll(() => rmSync(folder, { recursive: true }));

function link(name: string): void {
  const place = join(folder, "node_modules", name);
  mkdirSync(join(place, ".."), { recursive: true });
  symlinkSync(`${root}node_modules/${name}`, place);
}

function run(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: "utf8" });
  return status === 0 ? "" : stdout + stderr;
}

/** Where a document's links and pictures lead, unless to a place of its own or to another site. */
function linksOf(path: string): readonly string[] {
  const prose = readFileSync(join(home, path), "utf8").replace(/^```.*?^```/gms, "");
  const links = [...prose.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, link]) => link as string);
  return links.filter((link) => !/^[a-z]+:/.test(link));
}

test("the tarball holds what is built, the licence and the documents, and nothing else", () => {
  const others = files.filter((path) => !path.startsWith("dist/") && !path.startsWith("docs/"));
  expect(others.sort()).toEqual(["CONTRIBUTING.md", "LICENSE", "README.md", "package.json"]);
  expect(files.filter((path) => path.includes(".test."))).toEqual([]);
});

test("every relative link of the packed documents leads to a packed file, and no picture is packed for nothing", () => {
  const documents = files.filter((path) => path.endsWith(".md"));
  const led = documents.flatMap((path) =>
    linksOf(path).map((link) => ({ path, link, to: posix.join(dirname(path), link) })),
  );
  expect(led.filter(({ path }) => path === "README.md").map(({ to }) => to)).toContain("docs/guide.md");
  expect(led.filter(({ to }) => !files.includes(to))).toEqual([]);
  const pictures = files.filter((path) => path.startsWith("docs/img/"));
  expect(pictures.filter((path) => !led.some(({ to }) => to === path))).toEqual([]);
});

test("publint finds nothing in it", () => {
  expect(run(`${root}node_modules/.bin/publint`, "run", tarball, "--strict")).toBe("");
});

test("its types resolve wherever it can be imported", () => {
  expect(
    run(`${root}node_modules/.bin/attw`, tarball, "--profile", "esm-only", "--format", "ascii", "--no-color"),
  ).toBe("");
});

test.for(importable)("$subpath can be imported in plain Node and leaves no trace", ({ subpath, script }) => {
  const name = subpath?.slice(2) ?? "";
  const framework = name in peerDependencies ? [name] : [];
  const args = ["--input-type=module", "-e", probe, `bonevalue${subpath?.slice(1)}`, ...framework];
  const traces = execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  expect(JSON.parse(traces)).toEqual({ globals: script ? ["$BV"] : [], resources: [] });
});

test("the modules hold one copy of the core, whatever an app imports", () => {
  const modules = files.filter((path) => path.endsWith(".js") && path !== "dist/global.js");
  const text = (path: string) => readFileSync(join(home, path), "utf8");
  expect(modules.filter((path) => text(path).includes("class BonevalueError"))).toEqual(["dist/core/errors.js"]);
});

test("React's entry still says that it is for the client", () => {
  expect(readFileSync(join(home, "dist/bindings/react/index.js"), "utf8")).toMatch(/^"use client";/);
});

test("the command can be run", () => {
  expect(run(process.execPath, join(home, bin.bonevalue), "--help")).toBe("");
});
