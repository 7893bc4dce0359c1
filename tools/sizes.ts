import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import ensureBuilt from "./build.ts";
import { root } from "./entries.ts";

/** What a page pays for one import, bundled for browsers and minified. In bytes. */
interface Size {
  readonly minified: number;
  readonly gzipped: number;
  /** Minified bytes by what they are of: a package, or a room of our own. */
  readonly parts: ReadonlyMap<string, number>;
}

async function sizeOf(code: string): Promise<Size> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: root },
    // The built package, as an app sees it, not the sources that tsconfig.json names.
    tsconfigRaw: {},
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    define: { global: "globalThis" },
    write: false,
    metafile: true,
    logLevel: "error",
  });
  const [output] = Object.values(metafile.outputs);
  const parts = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.entries(output?.inputs ?? {})) {
    const part = partOf(path);
    parts.set(part, (parts.get(part) ?? 0) + bytesInOutput);
  }
  const bytes = outputFiles[0]?.contents ?? new Uint8Array();
  return { minified: bytes.length, gzipped: gzipSync(bytes, { level: 9 }).length, parts };
}

function partOf(path: string): string {
  const [, name] = path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/) ?? path.match(/dist\/(core\/[^/]+)\//) ?? [];
  return name ?? "core";
}

function row(name: string, minified: number, gzipped: number): void {
  const kilobytes = (bytes: number) => (bytes / 1000).toFixed(1).padStart(10);
  console.log(name.padEnd(28) + kilobytes(minified) + kilobytes(gzipped));
}

ensureBuilt();
console.log(`${"KB".padEnd(28)}  minified   gzipped`);
const ours = await sizeOf(`export { createClient } from "bonevalue"`);
row("createClient", ours.minified, ours.gzipped);
// A part's gzipped size is its share of the whole: parts compress one another.
const share = ours.gzipped / ours.minified;
for (const [part, bytes] of [...ours.parts].sort((a, b) => b[1] - a[1])) row(`  ${part}`, bytes, bytes * share);
// simple-peer's sources want Node's events: this is the file that it publishes for pages.
for (const name of ["peerjs", "simple-peer/simplepeer.min.js"]) {
  const { minified, gzipped } = await sizeOf(`export { default } from "${name}"`);
  row(name, minified, gzipped);
}
