import { rmSync } from "node:fs";
import nodeResolve from "@rollup/plugin-node-resolve";
import { dts } from "rollup-plugin-dts";
import esbuild from "rollup-plugin-esbuild";
import { entries, root } from "./tools/entries.ts";

const dist = `${root}dist`;
const core = `${root}core/index.ts`;
const modules = entries.filter(({ script }) => !script);
const scripts = entries.filter(({ script }) => script);
const typed = entries.filter(({ subpath }) => subpath !== undefined);

rmSync(dist, { recursive: true, force: true });

export default [
  // File by file and whole: users' bundlers shake it, stack traces read well, and the specs run on it too.
  {
    input: inputs(modules),
    external: isForeign,
    plugins: [coreByName(), keepUseClient(), transpile()],
    treeshake: false,
    output: { dir: dist, preserveModules: true, preserveModulesRoot: root, sourcemap: true },
  },
  {
    input: inputs(typed),
    external: isForeign,
    plugins: [coreByName(), dts()],
    output: {
      dir: dist,
      entryFileNames: "[name].d.ts",
      chunkFileNames: "types/[name].d.ts",
      minifyInternalExports: false,
    },
  },
  ...scripts.map(({ source, output }) => ({
    input: root + source,
    plugins: [nodeResolve({ browser: true }), transpile({ minify: true })],
    output: { file: `${dist}/${output}.js`, format: "iife", inlineDynamicImports: true, sourcemap: true },
  })),
];

function inputs(table) {
  return Object.fromEntries(table.map(({ output, source }) => [output, root + source]));
}

function isForeign(id) {
  return !id.startsWith(".") && !id.startsWith(root);
}

function transpile(options) {
  return esbuild({ target: "es2022", tsconfig: false, jsx: "automatic", ...options });
}

/** Bindings and helpers ask for the core by its public name, so that an app never holds two copies of it. */
function coreByName() {
  return {
    name: "core-by-name",
    async resolveId(id, importer) {
      if (importer === undefined) return null;
      const resolved = await this.resolve(id, importer);
      return resolved?.id === core ? { id: "bonevalue", external: true } : null;
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
