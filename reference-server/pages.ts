import type { IncomingMessage, ServerResponse } from "node:http";
import { type AddressList, clientAddress } from "./address.ts";
import { invitationPage } from "./invitation-page.ts";
import type { Metrics } from "./metrics.ts";

/** The state of a server. Healthy means that new clients can sign in, perhaps with a problem. */
export interface Health {
  readonly isHealthy: boolean;
  readonly problem?: string | undefined;
}

/** Dependencies of the HTTP pages. */
export interface PagesParts {
  /** The path of the WebSocket; the pages are below it. */
  readonly path: string;
  /** Whether this server accepts invitations. */
  readonly invitations: boolean;
  readonly metrics: Metrics;
  /** The addresses that may read the metrics. */
  readonly readers: AddressList;
  readonly proxies: AddressList;
  readonly health: () => Promise<Health>;
}

type Page = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Creates the handler of HTTP requests; it returns false for requests to other paths. */
export function createPages(parts: PagesParts): (request: IncomingMessage, response: ServerResponse) => boolean {
  const base = withoutSlash(parts.path);
  const pages = new Map<string, Page>([
    [`${base}/healthz`, sendHealth],
    [`${base}/metrics`, sendMetrics],
  ]);
  if (parts.invitations) pages.set(`${base}/invite`, sendInvitationPage);

  async function sendHealth(_: IncomingMessage, response: ServerResponse): Promise<void> {
    const { isHealthy, problem } = await parts.health();
    const state = isHealthy ? (problem === undefined ? "ok" : "degraded") : "unavailable";
    sendText(response, isHealthy ? 200 : 503, problem === undefined ? state : `${state}: ${problem}`);
  }

  async function sendMetrics(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A forwarded request may come from anywhere, unless a listed proxy names its sender.
    const from = clientAddress(request, parts.proxies);
    const known = request.headers["x-forwarded-for"] === undefined || from !== clientAddress(request, noAddresses);
    if (!known || !parts.readers(from)) return sendText(response, 403, "forbidden");
    const [type, text] = await parts.metrics.text();
    response.writeHead(200, { "content-type": type }).end(text);
  }

  async function sendInvitationPage(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { headers, html } = invitationPage(request.headers.host ?? "");
    response.writeHead(200, headers).end(html);
  }

  return (request, response) => {
    const page = pages.get(pathOf(request) ?? "");
    if (page === undefined) return false;
    if (request.method !== "GET" && request.method !== "HEAD") sendText(response, 405, "method not allowed");
    else page(request, response).catch(() => sendText(response, 500, "failed"));
    return true;
  };
}

const noAddresses: AddressList = () => false;

/** Removes a trailing slash, so that `/p2p` and `/p2p/` are the same path. */
export function withoutSlash(path: string): string {
  return path.replace(/\/$/, "");
}

/** Returns the requested path, or undefined if the request target is not a URL. */
export function pathOf({ url = "/" }: IncomingMessage): string | undefined {
  return URL.parse(url, "http://host")?.pathname;
}

/** Sends a short plain-text response. */
export function sendText(response: ServerResponse, status: number, text: string): void {
  // A failure after the head was sent: only the connection can tell it.
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${text}\n`);
}
