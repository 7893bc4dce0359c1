import { readFileSync, rmSync } from "node:fs";
import { posix } from "node:path";
import nodeResolve from "@rollup/plugin-node-resolve";
import { dts } from "rollup-plugin-dts";
import esbuild from "rollup-plugin-esbuild";
import { client, entriesOf, moduleFolder, packages, root } from "./tools/entries.ts";
import { licenseFile } from "./tools/license-file.ts";

const coreNames = new Map([
  [`${root}core/index.ts`, "bonevalue"],
  [`${root}core/internal.ts`, "bonevalue/internal"],
]);

export default packages.flatMap((built) => {
  const dist = `${root}${built.folder}dist`;
  const entries = entriesOf(built);
  const modules = entries.filter(({ singleFile }) => !singleFile);
  const singleFiles = entries.filter(({ singleFile }) => singleFile);
  const typed = entries.filter(({ subpath, types }) => subpath !== undefined && types === undefined);
  const licenses = licenseFile();
  rmSync(dist, { recursive: true, force: true });

  function isForeign(id) {
    if (id.startsWith(".") || id.startsWith("/")) return false;
    return !built.bundled.some((name) => id === name || id.startsWith(`${name}/`));
  }

  return [
    // Module by module, without tree shaking: bundlers of apps shake it, and the files stay readable without source maps,
    // which would double the size of an installation.
    {
      input: inputs(modules),
      external: isForeign,
      plugins: [
        coreByName(),
        nodeResolve({ browser: true }),
        keepUseClient(),
        transpile(),
        licenses,
        moduleFiles(built),
      ],
      treeshake: false,
      output: {
        dir: dist,
        entryFileNames: "[name].js",
        chunkFileNames: moduleFile,
        hoistTransitiveImports: false,
        minifyInternalExports: false,
        manualChunks: firstLoad(),
      },
    },
    {
      input: inputs(typed),
      external: isForeign,
      plugins: [coreByName(), dts(), platformTypes(built)],
      output: {
        dir: dist,
        entryFileNames: "[name].d.ts",
        chunkFileNames: "types/[name].d.ts",
        minifyInternalExports: false,
      },
    },
    ...singleFiles.map(({ source, output, singleFile }) => ({
      input: root + source,
      plugins: [nodeResolve({ browser: true }), transpile({ minify: true }), licenses],
      output: {
        file: `${dist}/${output}.js`,
        format: singleFile,
        inlineDynamicImports: true,
        banner: "/*! MIT, with THIRD-PARTY-LICENSES.txt */",
      },
    })),
  ];
});

function inputs(table) {
  return Object.fromEntries(table.map(({ output, source }) => [output, root + source]));
}

function transpile(options) {
  return esbuild({ target: "es2022", tsconfig: false, jsx: "automatic", ...options });
}

/** Gives each module a file of its own. */
function moduleFiles({ folder }) {
  return {
    name: "module-files",
    moduleParsed({ id, isEntry }) {
      const path = id.slice(root.length).replace(/\.[^./]+$/, "");
      const inPackage = path.startsWith(folder) ? path.slice(folder.length) : path;
      // npm leaves folders of the name node_modules out of a tarball.
      const name = inPackage.replace(/^node_modules/, "vendor");
      if (!isEntry) this.emitFile({ type: "chunk", id, name });
    },
  };
}

/** A file without code of its own re-exports a module that was built into another file. Only tests of dist/ import it. */
function moduleFile({ moduleIds }) {
  return moduleIds.length > 0 ? "[name].js" : `${moduleFolder}/[name].js`;
}

/**
 * Puts what a page loads at first for `createClient` into one file, from which the files of its modules re-export. Otherwise
 * bundlers that split code (esbuild, and Rolldown in Vite) make a file of each group of modules that the same lazily loaded
 * parts share, and a page would load nine files instead of two.
 */
function firstLoad() {
  let modules;
  return (id, { getModuleInfo }) => {
    modules ??= withImports(`${root}core/client.ts`, getModuleInfo);
    return modules.has(id) ? "core/first-load" : undefined;
  };
}

/** A module, and all that it imports statically. */
function withImports(entry, getModuleInfo) {
  const modules = new Set([entry]);
  for (const id of modules) for (const imported of getModuleInfo(id)?.importedIds ?? []) modules.add(imported);
  return modules;
}

/** Bindings and test helpers import the core by its package name, so that an app never holds two copies of it. */
function coreByName() {
  return {
    name: "core-by-name",
    async resolveId(id, importer) {
      if (importer === undefined) return null;
      const resolved = await this.resolve(id, importer);
      const name = coreNames.get(resolved?.id);
      return name === undefined ? null : { id: name, external: true };
    },
  };
}

/** Adds the platform's types to the declarations of the client. TypeScript has no import for types that are global. */
function platformTypes({ name }) {
  if (name !== client.name) return null;
  const fileName = "types/platform.d.ts";
  return {
    name: "platform-types",
    banner: (chunk) => `/// <reference path="${posix.relative(posix.dirname(chunk.fileName), fileName)}" />`,
    generateBundle() {
      this.emitFile({ type: "asset", fileName, source: readFileSync(`${root}core/platform.d.ts`) });
    },
  };
}

/** Rollup drops a module's directive; React's frameworks look for it at the top of the built file. */
function keepUseClient() {
  const directive = '"use client";';
  const marked = new Set();
  return {
    name: "keep-use-client",
    transform(code, id) {
      if (!code.startsWith(directive)) return null;
      marked.add(id);
      return { code: " ".repeat(directive.length) + code.slice(directive.length), map: null };
    },
    banner: (chunk) => (marked.has(chunk.facadeModuleId) ? directive : ""),
  };
}
