import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { root } from "./entries.ts";

/** A web server on a loopback port, for pages under test. */
export interface StaticSite {
  /** `http://127.0.0.1:…`, without a trailing slash. */
  readonly origin: string;
  /** Adds a page; returns its URL. */
  add(html: string, headers?: Readonly<Record<string, string>>): string;
  close(): Promise<void>;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
};

/** Serves these folders in `base`, by default dist/ and examples/ of this repository, and the pages that are added to it. */
export async function serveSite(
  base: string = root,
  folders: readonly string[] = ["dist/", "examples/"],
): Promise<StaticSite> {
  const open = folders.map((folder) => join(base, folder));
  const pages = new Map<string, { html: string; headers: Readonly<Record<string, string>> }>();
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? "/", "http://site").pathname;
    const page = pages.get(path);
    if (page === undefined) return sendFile(path, response);
    response.writeHead(200, { "content-type": types[".html"], ...page.headers }).end(page.html);
  });

  async function sendFile(path: string, response: ServerResponse): Promise<void> {
    const file = join(base, path.endsWith("/") ? `${path}index.html` : path);
    const isOpen = open.some((folder) => file.startsWith(folder));
    const body = isOpen ? await readFile(file).catch(() => undefined) : undefined;
    if (body === undefined) response.writeHead(404).end(`${path} is not found.`);
    else response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" }).end(body);
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    origin,
    add(html, headers = {}) {
      const path = `/pages/${pages.size + 1}.html`;
      pages.set(path, { html, headers });
      return origin + path;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
