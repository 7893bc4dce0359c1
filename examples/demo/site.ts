import { readFile } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { listen } from "../site/listen.ts";
import type { Account } from "./accounts.ts";

/** The web server of the demo's page. The discovery server shares it. */
export interface Site {
  readonly http: Server;
  readonly port: number;
  close(): Promise<void>;
}

/** Options of {@link openSite}. */
export interface SiteOptions {
  readonly host: string;
  /** Default: the first free port from 8000. */
  readonly port: number | undefined;
  /** The page gets these accounts, so that one click signs in. */
  readonly accounts: readonly Account[];
}

const folder = fileURLToPath(new URL("page/", import.meta.url));

const headers = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

/** Bundles the page and serves it. Rejects with advice if the port is not available. */
export async function openSite({ host, port, accounts }: SiteOptions): Promise<Site> {
  const files = await pageFiles(accounts);
  const http = createServer((request, response) => send(files.get(pathOf(request.url)), response));
  await listen(http, host, port);
  return {
    http,
    port: portOf(http),
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

interface File {
  readonly type: string;
  readonly body: string | Uint8Array;
}

async function pageFiles(accounts: readonly Account[]): Promise<ReadonlyMap<string, File>> {
  const [html, css, icon, script] = await Promise.all([
    readFile(`${folder}index.html`),
    readFile(`${folder}style.css`),
    readFile(`${folder}icon.svg`),
    bundle(`${folder}main.ts`),
  ]);
  return new Map<string, File>([
    ["/", { type: "text/html; charset=utf-8", body: html }],
    ["/style.css", { type: "text/css; charset=utf-8", body: css }],
    ["/icon.svg", { type: "image/svg+xml", body: icon }],
    ["/main.js", { type: "text/javascript; charset=utf-8", body: script }],
    ["/accounts.json", { type: "application/json", body: JSON.stringify(accounts) }],
  ]);
}

/** Bundles the page's modules with the built package. */
async function bundle(entry: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
    // Without the repository's tsconfig.json, whose paths lead to the library's sources.
    tsconfigRaw: {},
  });
  return outputFiles[0]!.contents;
}

function send(file: File | undefined, response: ServerResponse): void {
  if (file) response.writeHead(200, { ...headers, "content-type": file.type }).end(file.body);
  else response.writeHead(404, { ...headers, "content-type": "text/plain" }).end("Not found.");
}

function pathOf(url = "/"): string {
  return url.split(/[?#]/, 1)[0]!;
}

function portOf(http: Server): number {
  const address = http.address();
  return typeof address === "object" && address ? address.port : 0;
}
