import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { root } from "./entries.ts";

/** What a page pays for one import. In bytes. */
export interface Size {
  /** What comes with the page. */
  readonly first: Weight;
  /** What is loaded when it is asked for. */
  readonly later: Weight;
  /** Minified bytes of what comes first by what they are of: a package, or a room of our own. */
  readonly parts: ReadonlyMap<string, number>;
}

/** In bytes. */
export interface Weight {
  readonly minified: number;
  readonly gzipped: number;
}

/** What a page pays for a module of this `code`, bundled for browsers and minified. */
export async function sizeOf(code: string): Promise<Size> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: root },
    // The built package, as an app sees it, not the sources that tsconfig.json names.
    tsconfigRaw: {},
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    platform: "browser",
    define: { global: "globalThis" },
    outdir: "bundle",
    write: false,
    metafile: true,
    logLevel: "error",
  });
  const chunks = Object.entries(metafile.outputs).map(([path, chunk], index) => ({
    ...chunk,
    path,
    bytes: outputFiles[index]?.contents ?? new Uint8Array(),
  }));
  const first = new Set(chunks.filter(({ entryPoint }) => entryPoint === "<stdin>"));
  for (const { imports } of first) {
    for (const { path, kind } of imports) {
      const chunk = chunks.find((other) => other.path === path);
      if (chunk && kind === "import-statement") first.add(chunk);
    }
  }
  const parts = new Map<string, number>();
  for (const { inputs } of first) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const part = partOf(path);
      parts.set(part, (parts.get(part) ?? 0) + bytesInOutput);
    }
  }
  return { first: weigh([...first]), later: weigh(chunks.filter((chunk) => !first.has(chunk))), parts };
}

function weigh(chunks: readonly { readonly bytes: Uint8Array }[]): Weight {
  const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);
  return {
    minified: sum(chunks.map(({ bytes }) => bytes.length)),
    gzipped: sum(chunks.map(({ bytes }) => gzipSync(bytes, { level: 9 }).length)),
  };
}

function partOf(path: string): string {
  const [, name] =
    path.match(/(?:node_modules|vendor)\/((?:@[^/]+\/)?[^/]+)/) ?? path.match(/dist\/(core\/[^/]+)\//) ?? [];
  return name ?? "core";
}
