import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { entries, entriesOf, manifestOf, packages, root } from "./entries.ts";
import { isTestFile, unusedRules, violations } from "./import-rules.ts";
import { importCycles, importsOf, loadedWith, reachable, readSources } from "./imports.ts";
import { readTexts, retiredWordsIn } from "./names.ts";

const sources = readSources();
const published = reachable(
  entries.map(({ source }) => source),
  sources,
);

describe("the architecture", () => {
  test("every file imports only what the import rules allow", () => {
    // Unpublished files in published folders are test helpers, which may import everything.
    const checked = sources.filter(
      ({ path }) => published.has(path) || !/^(core|bindings|reference-server)\//.test(path),
    );
    expect(checked.filter(({ path }) => !isTestFile(path)).flatMap(violations)).toEqual([]);
  });

  test("every import that the rules allow exists", () => {
    expect(unusedRules(sources)).toEqual([]);
  });

  test("there are no import cycles", () => {
    expect(importCycles(sources)).toEqual([]);
  });

  test("a page does not load at first what open links need", () => {
    const first = loadedWith("core/client.ts", sources);
    const later = ["core/links/connection.ts", "core/rpc/rpc.ts", "core/wire/codec.ts", "core/wire/deserialize.ts"];
    expect([...loadedWith("core/open-connection.ts", sources)]).toEqual(expect.arrayContaining(later));
    expect(later.filter((path) => first.has(path))).toEqual([]);
  });

  test("published files do not import test files", () => {
    expect([...published].filter(isTestFile)).toEqual([]);
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
    "$source reads no browser globals when it is imported",
    async ({ source }) => {
      expect(await globalsReadBy(root + source)).toEqual([]);
    },
  );
});

test("no retired name or phrase is in use", () => {
  expect(readTexts().flatMap(retiredWordsIn)).toEqual([]);
});

describe("the check itself", () => {
  test("finds retired file names, declarations and phrases", () => {
    const text = `import { tell } from "./a.ts";\nconst wish = tell();\n// Whoever asks.`;
    expect(retiredWordsIn({ path: "core/links/places.ts", text })).toEqual([
      'core/links/places.ts: the file name "places" is retired',
      'core/links/places.ts: the name "wish" is retired',
      'core/links/places.ts:3: write something else for "Whoever"',
    ]);
  });

  test("finds static, dynamic and type imports, and re-exports", () => {
    const text = `
      import { a } from "./a.ts";
      import type { B } from "../b.ts";
      export * from "@scope/name/deep";
      type C = import("./c.ts").C;
      const d = await import("node:fs");
      const e = await import("./e.ts");`;
    expect(importsOf("core/x/file.ts", text)).toEqual({
      path: "core/x/file.ts",
      files: ["core/x/a.ts", "core/b.ts", "core/x/c.ts", "core/x/e.ts"],
      loads: ["core/x/a.ts", "core/x/e.ts"],
      loadsLater: ["core/x/e.ts"],
      packages: ["@scope/name", "node:fs"],
    });
  });

  test("reports files that break a rule", () => {
    const text = `import "../rpc/caller.ts"; import "msgpackr"; import "node:fs"; import "../errors.ts";`;
    expect(violations(importsOf("core/wire/fragments.ts", text))).toEqual([
      "core/wire/fragments.ts may not import core/rpc/caller.ts",
      "core/wire/fragments.ts may not import msgpackr",
      "core/wire/fragments.ts may not import node:fs",
      "core/wire/fragments.ts may not import msgpackr: only core/wire/codec.ts may",
    ]);
  });

  test("keeps the internal entry of the core for the bindings", () => {
    expect(violations(importsOf("core/client.ts", `import "./internal.ts"`))).toEqual([
      "core/client.ts may not import core/internal.ts: only bindings/ may",
    ]);
    expect(violations(importsOf("examples/chat/chat.ts", `import "../../core/internal.ts"`))).toEqual([
      "examples/chat/chat.ts may not import core/internal.ts",
    ]);
    expect(violations(importsOf("bindings/vue/call.ts", `import "../../core/internal.ts"`))).toEqual([]);
  });

  test("finds an import cycle and lists its files", () => {
    const sources = [
      importsOf("a.ts", `import "./b.ts"`),
      importsOf("b.ts", `import "./c.ts"`),
      importsOf("c.ts", `import "./b.ts"`),
    ];
    expect(importCycles(sources)).toEqual([["b.ts", "c.ts", "b.ts"]]);
  });
});

/** Imports a module in a thread that records reads of browser globals; returns the names that it read. */
async function globalsReadBy(file: string): Promise<readonly string[]> {
  const worker = new Worker(new URL("global-traps.ts", import.meta.url), { workerData: file });
  return await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
}
