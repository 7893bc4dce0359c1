import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { isSpec, trespasses, unused } from "./directions.ts";
import { entries, entriesOf, manifestOf, packages, root } from "./entries.ts";
import { cycles, importsOf, reachable, readSources } from "./imports.ts";

const sources = readSources();
const published = reachable(
  entries.map(({ source }) => source),
  sources,
);

describe("the house", () => {
  test("every file imports only what its room may", () => {
    // What stands in a published room and is not published is there for its specs: those see everything.
    const held = sources.filter(({ path }) => published.has(path) || !/^(core|bindings|reference-server)\//.test(path));
    expect(held.filter(({ path }) => !isSpec(path)).flatMap(trespasses)).toEqual([]);
  });

  test("every import that the directions allow exists", () => {
    expect(unused(sources)).toEqual([]);
  });

  test("no files load one another in a ring", () => {
    expect(cycles(sources)).toEqual([]);
  });

  test("nothing that is published reaches a spec", () => {
    expect([...published].filter(isSpec)).toEqual([]);
  });

  test.for(packages)(
    "the sources of $name import only packages that it bundles or that are installed with it",
    (one) => {
      const { dependencies, peerDependencies } = manifestOf(one);
      const installed = new Set([...Object.keys({ ...dependencies, ...peerDependencies }), ...one.bundled]);
      const entryFiles = entriesOf(one).map(({ source }) => source);
      const built = reachable(entryFiles, sources);
      const missing = sources
        .filter(({ path }) => built.has(path))
        .flatMap(({ path, packages }) => packages.map((name) => ({ path, name })))
        .filter(({ name }) => !name.startsWith("node:") && !installed.has(name));
      expect(missing).toEqual([]);
    },
  );

  test.for(entries.filter(({ source }) => /^(core|bindings)\//.test(source)))(
    "$source touches nothing of a page when it is imported",
    async ({ source }) => {
      expect(await globalsReadBy(root + source)).toEqual([]);
    },
  );
});

describe("the check itself", () => {
  test("sees static, dynamic and type imports, and re-exports", () => {
    const text = `
      import { a } from "./a.ts";
      import type { B } from "../b.ts";
      export * from "@scope/name/deep";
      type C = import("./c.ts").C;
      const d = await import("node:fs");`;
    expect(importsOf("core/x/file.ts", text)).toEqual({
      path: "core/x/file.ts",
      files: ["core/x/a.ts", "core/b.ts", "core/x/c.ts"],
      loads: ["core/x/a.ts"],
      packages: ["@scope/name", "node:fs"],
    });
  });

  test("names the file that goes against a direction, and whose package it took", () => {
    const text = `import "../rpc/caller.ts"; import "msgpackr"; import "node:fs"; import "../errors.ts";`;
    expect(trespasses(importsOf("core/wire/fragments.ts", text))).toEqual([
      "core/wire/fragments.ts may not import core/rpc/caller.ts",
      "core/wire/fragments.ts may not import msgpackr",
      "core/wire/fragments.ts may not import node:fs",
      "core/wire/fragments.ts may not import msgpackr: it is core/wire/codec.ts's",
    ]);
  });

  test("keeps the internal entry of the core for the bindings", () => {
    expect(trespasses(importsOf("core/client.ts", `import "./internal.ts"`))).toEqual([
      "core/client.ts may not import core/internal.ts: it is bindings/'s",
    ]);
    expect(trespasses(importsOf("examples/chat/chat.ts", `import "../../core/internal.ts"`))).toEqual([
      "examples/chat/chat.ts may not import core/internal.ts",
    ]);
    expect(trespasses(importsOf("bindings/vue/call.ts", `import "../../core/internal.ts"`))).toEqual([]);
  });

  test("finds a ring and says how it goes round", () => {
    const ring = [
      importsOf("a.ts", `import "./b.ts"`),
      importsOf("b.ts", `import "./c.ts"`),
      importsOf("c.ts", `import "./b.ts"`),
    ];
    expect(cycles(ring)).toEqual([["b.ts", "c.ts", "b.ts"]]);
  });
});

/** The page's globals that a module reads while it is imported, in a thread that has all of them as traps. */
async function globalsReadBy(file: string): Promise<readonly string[]> {
  const worker = new Worker(new URL("page-traps.ts", import.meta.url), { workerData: file });
  return await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
}
