import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { root } from "./entries.ts";

/** The size of one import, in bytes. */
export interface Size {
  /** Loaded at first. */
  readonly first: Weight;
  /** Loaded lazily. */
  readonly later: Weight;
  /** Minified bytes of `first` by package or by folder of the core. */
  readonly parts: ReadonlyMap<string, number>;
}

/** In bytes. */
export interface Weight {
  readonly minified: number;
  readonly gzipped: number;
}

/** Bundles this `code` for browsers, minifies it and returns its size. */
export async function sizeOf(code: string): Promise<Size> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: root },
    // Without the repository's tsconfig.json, whose paths lead to the sources instead of the built package.
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
