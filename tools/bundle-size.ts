import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { root } from "./entries.ts";

/** The size of one import, in bytes. */
export interface Size {
  /** Loaded at first. */
  readonly first: Weight;
  /** Loaded lazily, by the name of the file that is imported, with everything that only lazily loaded files need. */
  readonly later: ReadonlyMap<string, Weight>;
  /** Minified bytes of `first` and of the lazily loaded `links`, by package or by folder of the core. */
  readonly parts: ReadonlyMap<string, readonly [first: number, links: number]>;
}

/** The lazily loaded file that every open link needs. */
export const links = "open-connection";

/** In bytes. */
export interface Weight {
  /** How many files a page loads. */
  readonly files: number;
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
  type Chunk = (typeof chunks)[number];

  /** The chunk that was built from `entry`, and those that it imports statically. */
  function withImports(entry: Chunk): Chunk[] {
    const loaded = new Set([entry]);
    for (const { imports } of loaded) {
      for (const { path, kind } of imports) {
        const chunk = chunks.find((other) => other.path === path);
        if (chunk && kind === "import-statement") loaded.add(chunk);
      }
    }
    return [...loaded];
  }

  const first = withImports(chunks.find(({ entryPoint }) => entryPoint === "<stdin>")!);
  const later = new Map<string, Chunk[]>();
  for (const chunk of chunks) {
    const [, name] = chunk.entryPoint?.match(/([^/]+)\.[jt]s$/) ?? [];
    if (name !== undefined)
      later.set(
        name,
        withImports(chunk).filter((loaded) => !first.includes(loaded)),
      );
  }
  const parts = new Map<string, [number, number]>();
  for (const [index, loaded] of [first, later.get(links) ?? []].entries()) {
    for (const { inputs } of loaded) {
      for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
        const part = parts.get(partOf(path)) ?? [0, 0];
        part[index]! += bytesInOutput;
        parts.set(partOf(path), part);
      }
    }
  }
  return { first: weigh(first), later: new Map([...later].map(([name, loaded]) => [name, weigh(loaded)])), parts };
}

/** What two groups of chunks weigh together. */
export function addWeights(a: Weight, b: Weight): Weight {
  return { files: a.files + b.files, minified: a.minified + b.minified, gzipped: a.gzipped + b.gzipped };
}

function weigh(chunks: readonly { readonly bytes: Uint8Array }[]): Weight {
  const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);
  return {
    files: chunks.length,
    minified: sum(chunks.map(({ bytes }) => bytes.length)),
    gzipped: sum(chunks.map(({ bytes }) => gzipSync(bytes, { level: 9 }).length)),
  };
}

function partOf(path: string): string {
  const [, name] = path.match(/(?:node_modules|vendor)\/((?:@[^/]+\/)?[^/]+)/) ?? path.match(/(core\/[^/]+)\//) ?? [];
  return name ?? "core";
}
