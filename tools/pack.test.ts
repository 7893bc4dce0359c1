import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtFile } from "./built-files.ts";
import { links, sizeOf } from "./bundle-size.ts";
import {
  client,
  entriesOf,
  importNameOf,
  manifestOf,
  type Package,
  packages,
  root,
  server,
  typesOf,
} from "./entries.ts";
import { licenseFileName } from "./license-file.ts";
import { install, packAll, type Tarball } from "./packed.ts";
import { subpathFolders } from "./subpath-folders.ts";

// Prints the globals and resources that an import adds, once the loader has closed its files. Node's own streams and fetch,
// and the framework, are loaded before.
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

// What a script tag and the inspector are for.
const globalsOf = new Map([
  ["global", ["$BV"]],
  ["core/devtools/index", ["Symbol(bonevalue.devtools)"]],
]);

const bin = (name: string) => `${root}node_modules/.bin/${name}`;

/** The output of a command that failed, or nothing. */
function run(cwd: string, program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: "utf8" });
  return status === 0 ? "" : stdout + stderr;
}

const expected = new Map([
  [client.name, ["CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "package.json"]],
  [server.name, ["CHANGELOG.md", "LICENSE", "README.md", "package.json"]],
]);

let packs: string;
let tarballs: ReadonlyMap<Package, Tarball>;
beforeAll(() => {
  packs = mkdtempSync(join(tmpdir(), "bonevalue-packs-"));
  tarballs = packAll(packs);
});
afterAll(() => rmSync(packs, { recursive: true }));

describe.for(packages)("the package $name", (one) => {
  const peers = Object.keys(manifestOf(one)["peerDependencies"]);
  let app: string;
  let tarball: Tarball;
  let home: string;
  beforeAll(() => {
    app = mkdtempSync(join(tmpdir(), "bonevalue-pack-"));
    tarball = tarballs.get(one)!;
    home = install(one, tarball, app, peers);
  });
  afterAll(() => rmSync(app, { recursive: true }));

  test("contains the built files, the documentation, a folder for each subpath, and nothing else", () => {
    const folders = ["dist", "docs", "examples", ...subpathFolders(one)];
    const others = tarball.files.filter((path) => !folders.includes(path.split("/")[0]!) || !path.includes("/"));
    expect(others.sort()).toEqual(expected.get(one.name));
    expect(tarball.files.filter((path) => path.includes(".test."))).toEqual([]);
  });

  test("contains each file that a file of it imports, and none that only tests of dist/ import", () => {
    const scripts = tarball.files.filter((path) => /^dist\/.*\.(js|d\.ts)$/.test(path));
    const targets = scripts.flatMap((path) =>
      importsIn(readFileSync(join(home, path), "utf8")).map((name) =>
        posix.join(dirname(path), path.endsWith(".d.ts") ? name.replace(/\.js$/, ".d.ts") : name),
      ),
    );
    expect(targets.length).toBeGreaterThan(scripts.length);
    expect(targets.filter((target) => !tarball.files.includes(target))).toEqual([]);

    const entryFiles = entriesOf(one).flatMap((entry) => [
      `dist/${entry.output}.js`,
      typesOf(entry).slice(one.folder.length),
    ]);
    expect(scripts.filter((path) => !targets.includes(path) && !entryFiles.includes(path))).toEqual([]);
  });

  test("has complete metadata in package.json", () => {
    const manifest = manifestOf(one);
    for (const field of ["description", "license", "author", "keywords", "engines", "main", "types", "version"])
      expect(manifest[field], field).toBeTruthy();
    expect(manifest).not.toHaveProperty("repository");
    expect(manifest["version"]).toBe(manifestOf(client)["version"]);
  });

  test("is at most 2.7 MB, since its dependencies take 2.3 of the 5 MB that an installation may have", () => {
    const blocks = tarball.files.map((path) => Math.ceil(statSync(join(home, path)).size / 4_096));
    expect(blocks.reduce((sum, count) => sum + count, 0) * 4_096).toBeLessThan(2.7e6);
  });

  test("runs no script when it is installed", () => {
    const { scripts } = manifestOf(one);
    for (const name of ["preinstall", "install", "postinstall", "prepare"]) expect(scripts).not.toHaveProperty(name);
  });

  test("has relative links only to files in it, and no pictures, which have a text", () => {
    const documents = tarball.files.filter((path) => path.endsWith(".md"));
    const targets = documents.flatMap((path) =>
      linksIn(readFileSync(join(home, path), "utf8")).map((link) => posix.join(dirname(path), link)),
    );
    expect(targets.filter((target) => !tarball.files.includes(target))).toEqual([]);
    expect(tarball.files.filter((path) => /\.(gif|png|svg)$/.test(path))).toEqual([]);
  });

  test("contains each file whose content a page of the site shows", () => {
    const documents = tarball.files.filter((path) => path.endsWith(".md"));
    const targets = documents.flatMap((path) => includesIn(readFileSync(join(home, path), "utf8"), dirname(path)));
    expect(targets.filter((target) => !tarball.files.includes(target))).toEqual([]);
  });

  test("contains the license of every bundled package", () => {
    const licenses = one.bundled.length > 0 ? readFileSync(join(home, "dist", licenseFileName), "utf8") : "";
    for (const name of one.bundled) expect(licenses).toMatch(new RegExp(`^${name} \\d.*\\n\\n(The )?MIT License`, "m"));
  });

  test("passes publint", () => {
    expect(run(app, bin("publint"), "run", tarball.path, "--strict")).toBe("");
  });

  test("has types that resolve in every mode of module resolution", () => {
    // CommonJS programs get the ES module too, because Node can require it.
    const args = [tarball.path, "--ignore-rules", "cjs-resolves-to-esm", "--format", "ascii", "--no-color"];
    expect(run(app, bin("attw"), ...args)).toBe("");
  });

  const imported = entriesOf(one).filter(({ subpath }) => subpath !== undefined);
  test.for(imported)("$subpath can be imported in plain Node without side effects", (entry) => {
    const framework = peers.filter((name) => `./${name}` === entry.subpath);
    const args = ["--input-type=module", "-e", probe, importNameOf(entry)!, ...framework];
    const sideEffects = JSON.parse(execFileSync(process.execPath, args, { cwd: app, encoding: "utf8" }));
    expect(sideEffects).toEqual({ globals: globalsOf.get(entry.output) ?? [], resources: [] });
  });
});

describe("the packed files", () => {
  let app: string;
  const homes = new Map<string, { home: string; files: readonly string[] }>();
  beforeAll(() => {
    app = mkdtempSync(join(tmpdir(), "bonevalue-pack-"));
    for (const one of packages) {
      const tarball = tarballs.get(one)!;
      homes.set(one.name, { home: install(one, tarball, app), files: tarball.files });
    }
  });
  afterAll(() => rmSync(app, { recursive: true }));

  test("contain one copy of the core, besides the single-file builds", () => {
    const { home, files } = homes.get(client.name)!;
    const singleFiles = entriesOf(client).flatMap(({ singleFile, output }) => (singleFile ? `dist/${output}.js` : []));
    const modules = files.filter((path) => path.endsWith(".js") && !singleFiles.includes(path));
    const text = (path: string) => readFileSync(join(home, path), "utf8");
    expect(modules.filter((path) => text(path).includes("class BonevalueError"))).toEqual(["dist/core/first-load.js"]);
    // The inspector decodes messages, too.
    expect(modules.filter((path) => text(path).includes("const plainMsgpack"))).toEqual(["dist/core/wire/codec.js"]);
  });

  test("are those that tests of dist/ run, also where several modules became one file", () => {
    const { files } = homes.get(client.name)!;
    expect(builtFile("core/wire/codec.ts")).toBe(`${root}dist/core/wire/codec.js`);
    const module = builtFile("core/rpc/call.ts")!;
    const [target] = importsIn(readFileSync(module, "utf8"));
    expect(files).toContain(posix.join(dirname(module), target!).slice(root.length));
  });

  test("become two files that a page loads at first, and one for links, in a bundle that is split", async () => {
    const { first, later } = await sizeOf('export { createClient } from "bonevalue"');
    expect([first.files, later.get(links)?.files]).toEqual([2, 1]);
  });

  test('mark React\'s entry with "use client"', () => {
    const { home } = homes.get(client.name)!;
    expect(readFileSync(join(home, "dist/bindings/react/index.js"), "utf8")).toMatch(/^"use client";/);
  });

  test.for(["browser", "global"])("include a single file, %s.js, that loads no other", (name) => {
    const { home } = homes.get(client.name)!;
    expect(readFileSync(join(home, `dist/${name}.js`), "utf8")).not.toMatch(/\bfrom\s*["']|\bimport\s*[("']/);
  });

  test("run the command without the package of the client", () => {
    const alone = mkdtempSync(join(tmpdir(), "bonevalue-pack-"));
    const home = install(server, tarballs.get(server)!, alone);
    const [command] = Object.values(manifestOf(server)["bin"]) as string[];
    const printed = execFileSync(process.execPath, [join(home, command!), "--version"], { cwd: alone });
    expect(printed.toString().trim()).toBe(manifestOf(server)["version"]);
    rmSync(alone, { recursive: true });
  });

  test.for([
    { options: `{ store: "postgres://127.0.0.1/x" }`, name: "pg" },
    { options: `{ store: {}, cluster: "redis://127.0.0.1" }`, name: "@redis/client" },
  ])("name $name as the package to install, if it is needed and missing", ({ options, name }) => {
    const program = `import { createServer } from "bonevalue-server"; await createServer(${options});`;
    const output = run(app, process.execPath, "--input-type=module", "-e", program);
    expect(output).toContain(`needs the package ${name}: run npm install ${name}.`);
  });
});

/** The relative paths that a script or its declarations import, also lazily, or refer to. */
function importsIn(script: string): readonly string[] {
  const paths = /(?:\bfrom|\bimport|\bimport\(|\breference path=)\s*["'](\.{1,2}\/[^"']+)["']/g;
  return [...script.matchAll(paths)].map(([, path]) => path as string);
}

/** The relative targets of a document's links and pictures. */
function linksIn(markdown: string): readonly string[] {
  const prose = markdown.replace(/^```.*?^```/gms, "").replace(/!\[[^\]]+\]\([^)]*\)/g, "");
  const links = [...prose.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, link]) => link as string);
  return links.filter((link) => !/^[a-z]+:/.test(link));
}

/** The files that a document in `folder` includes, or shows as code. */
function includesIn(markdown: string, folder: string): readonly string[] {
  const shown = [...markdown.matchAll(/^<<< @\/(\S+)/gm)].map(([, path]) => posix.join("docs", path as string));
  const included = [...markdown.matchAll(/^<!--@include: (\S+?)-->/gm)].map(([, path]) =>
    posix.join(folder, path as string),
  );
  return [...shown, ...included];
}
