import { globSync, readFileSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import react from "@vitejs/plugin-react";
import vue from "@vitejs/plugin-vue";
import { build, type Rolldown } from "vite";

/** A file of the site. */
export interface SiteFile {
  readonly type: string;
  readonly body: string | Uint8Array;
}

const folder = fileURLToPath(new URL("..", import.meta.url));
const excluded = ["demo/**", "scenarios/**", "seed/**"];

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".webp": "image/webp",
};

/**
 * Bundles the index page and the examples in these folders (default: all) with the built package. Returns the files by
 * path, such as `/echo/react/`.
 */
export async function bundlePages(wanted: readonly string[] = []): Promise<ReadonlyMap<string, SiteFile>> {
  const pages = globSync("**/index.html", { cwd: folder, exclude: excluded });
  const chosen = pages.filter((page) => isWanted(dirname(page), wanted));
  const bundle = await build({
    root: folder,
    configFile: false,
    logLevel: "warn",
    plugins: [react(), vue(), svelte({ configFile: false })],
    build: {
      write: false,
      target: "es2022",
      assetsInlineLimit: 0,
      rolldownOptions: { input: chosen.map((page) => folder + page), checks: { pluginTimings: false } },
    },
  });
  const { output } = bundle as Rolldown.RolldownOutput;
  return new Map([
    ...output.map((file) => [pathOf(file.fileName), siteFile(file)] as const),
    ...chosen.filter((page) => page !== "index.html").map(sourcesOf),
  ]);
}

/** The sources of a page, with those that its frameworks share: the app first, then the program that starts it. */
function sourcesOf(page: string): readonly [path: string, file: SiteFile] {
  const example = dirname(page);
  const shared = dirname(example) === "." ? [] : globSync(`${dirname(example)}/*.ts`, { cwd: folder });
  const names = [...globSync(`${example}/*.{ts,tsx,vue,svelte}`, { cwd: folder }), ...shared]
    .filter((name) => !name.includes(".test."))
    .sort((a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1));
  const files = names.map((name) => ({ name: basename(name), text: readFileSync(join(folder, name), "utf8") }));
  return [`/${example}/sources.json`, { type: "application/json", body: JSON.stringify(files) }];
}

function rankOf(name: string): number {
  const rank = ["app", "main"].indexOf(basename(name, extname(name)));
  return rank === -1 ? 2 : rank;
}

function isWanted(page: string, wanted: readonly string[]): boolean {
  return wanted.length === 0 || page === "." || wanted.some((name) => page === name || page.startsWith(`${name}/`));
}

function pathOf(fileName: string): string {
  return `/${fileName.replace(/(^|\/)index\.html$/, "$1")}`;
}

function siteFile(file: Rolldown.OutputChunk | Rolldown.OutputAsset): SiteFile {
  const type = types[extname(file.fileName)] ?? "application/octet-stream";
  return { type, body: file.type === "chunk" ? file.code : file.source };
}
