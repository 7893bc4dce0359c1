import { createServer as createHttpServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer } from "bonevalue-server";
import { createAccounts } from "../demo/accounts.ts";
import { listen } from "./listen.ts";
import { bundlePages, type SiteFile } from "./pages.ts";

/** The web server and discovery server of the examples. */
export interface Examples {
  readonly url: string;
  close(): Promise<void>;
}

/** Options of {@link openExamples}. */
export interface ExamplesOptions {
  /** Default: the first free port from 8000. */
  readonly port: number | undefined;
  /** Folders of examples to serve. Default: all. */
  readonly only: readonly string[];
}

const headers = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

// Logs warnings and errors, but not every sign-in.
const log = { ...console, debug() {}, info() {} };

/**
 * Resolves once it listens. Ann and Oli trust each other; Mia and Noa do not yet. Rejects with advice if the port is not
 * available. The caller closes it.
 */
export async function openExamples({ port, only }: ExamplesOptions): Promise<Examples> {
  const accounts = createAccounts("Ann", "Oli", "Mia", "Noa");
  const passwords = Object.fromEntries(accounts.map(({ username, password }) => [username, password]));
  const files = new Map<string, SiteFile>(await bundlePages(only));
  files.set("/accounts.json", { type: "application/json", body: JSON.stringify(passwords) });

  const http = createHttpServer(({ url = "/" }, response) => send(files.get(pathOf(url)), response));
  await listen(http, "127.0.0.1", port);
  const server = await createServer({ server: http, store: ":memory:", rooms: true, log });
  for (const { username, password } of accounts) await server.accounts.add(username, password);
  await server.accounts.trust("Ann", "Oli", "Oli", "Ann");

  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/`,
    async close() {
      await server.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function send(file: SiteFile | undefined, response: ServerResponse): void {
  if (file) response.writeHead(200, { ...headers, "content-type": file.type }).end(file.body);
  else response.writeHead(404, { ...headers, "content-type": "text/plain" }).end("Not found.");
}

function pathOf(url: string): string {
  return url.split(/[?#]/, 1)[0]!;
}
