import type { IncomingMessage, ServerResponse } from "node:http";
import type { OpenInvitation } from "./accounts.ts";
import { type AddressList, clientAddress } from "./address.ts";
import { invitationPage, type Service } from "./invitation-page.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { Refusal } from "./refusal.ts";

/** The state of a server. Healthy means that new clients can sign in, perhaps with a problem. */
export interface Health {
  readonly isHealthy: boolean;
  readonly problem?: string | undefined;
}

/** Dependencies of the HTTP pages. */
export interface PagesParts {
  /** The path of the WebSocket; the pages are below it. */
  readonly path: string;
  /** Undefined if this server accepts no invitations. */
  readonly invitations: Invitations | undefined;
  readonly metrics: Metrics;
  /** The addresses that may read the metrics. */
  readonly readers: AddressList;
  readonly proxies: AddressList;
  /** Whether the page that sends a request may do so. */
  readonly isOriginAllowed: (request: IncomingMessage) => boolean;
  readonly health: () => Promise<Health>;
  readonly log: Log;
}

/** The invitations behind their page. */
export interface Invitations {
  readonly service: Service;
  /** Rejects with a refusal for an invitation that cannot be accepted. */
  readonly find: (invite: string, address: string) => Promise<OpenInvitation>;
}

type Page = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Creates the handler of HTTP requests; it returns false for requests to other paths. */
export function createPages(parts: PagesParts): (request: IncomingMessage, response: ServerResponse) => boolean {
  const base = withoutSlash(parts.path);
  const pages = new Map<string, Page>([
    [`${base}/healthz`, sendHealth],
    [`${base}/metrics`, sendMetrics],
  ]);
  const { invitations } = parts;
  if (invitations) pages.set(`${base}/invite`, (...exchange) => sendInvitationPage(invitations, ...exchange));

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

  async function sendInvitationPage(
    { service, find }: Invitations,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    if (request.method === "POST") return sendInvitation(find, request, response);
    const { headers, html } = invitationPage(request.headers.host ?? "", service);
    response.writeHead(200, headers).end(html);
  }

  /** Answers the page's question about an invitation. It is in the body, since URLs are logged. */
  async function sendInvitation(
    find: Invitations["find"],
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    // Otherwise any page could make its visitors guess, and so use up the failures of their address.
    if (!parts.isOriginAllowed(request)) return sendText(response, 403, "forbidden");
    const invite = await readText(request, maxInvitationSize);
    if (invite === undefined) return sendText(response, 413, "too large");
    try {
      sendJson(response, 200, await find(invite, clientAddress(request, parts.proxies)));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { code, message } = error;
      sendJson(response, code === "token-invalid" ? 404 : 429, { message });
    }
  }

  function fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    // A request that breaks off is no fault of the server.
    if (request.complete) parts.log.error({ error, path: pathOf(request) }, "a page cannot be served");
    sendText(response, 500, "failed");
  }

  return (request, response) => {
    const path = pathOf(request) ?? "";
    const page = pages.get(path);
    if (page === undefined) return false;
    const allowed = path === `${base}/invite` ? ["GET", "HEAD", "POST"] : ["GET", "HEAD"];
    if (!allowed.includes(request.method ?? "")) sendText(response, 405, "method not allowed");
    else page(request, response).catch((error: unknown) => fail(request, response, error));
    return true;
  };
}

// An invitation has 43 characters.
const maxInvitationSize = 256;

/** Reads the body of a request. If it has more than `most` bytes, stops reading it and returns undefined. */
async function readText(request: IncomingMessage, most: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > most) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, {
    "content-type": "application/json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.end(JSON.stringify(body));
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
