import type { IncomingMessage, ServerResponse } from "node:http";
import { type AddressList, clientAddress } from "./address.ts";
import { invitationPage } from "./invitation-page.ts";
import type { Metrics } from "./metrics.ts";

/** What the pages stand on. */
export interface PagesParts {
  /** The WebSocket's path; the pages are below it. */
  readonly path: string;
  /** Whether invitations are accepted here. */
  readonly invitations: boolean;
  readonly metrics: Metrics;
  /** Who may read the metrics. */
  readonly readers: AddressList;
  readonly proxies: AddressList;
  /** Whether new clients can be served. */
  readonly healthy: () => Promise<boolean>;
}

type Page = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Answers plain HTTP requests; false for those that are not ours. */
export function createPages(parts: PagesParts): (request: IncomingMessage, response: ServerResponse) => boolean {
  const below = parts.path.replace(/\/$/, "");
  const pages = new Map<string, Page>([
    [`${below}/healthz`, health],
    [`${below}/metrics`, metrics],
  ]);
  if (parts.invitations) pages.set(`${below}/invite`, invite);

  async function health(_: IncomingMessage, response: ServerResponse): Promise<void> {
    const healthy = await parts.healthy();
    plain(response, healthy ? 200 : 503, healthy ? "ok" : "unavailable");
  }

  async function metrics(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // What a proxy passes on is from anywhere, unless the proxy is one that we know to say from where.
    const from = clientAddress(request, parts.proxies);
    const known = request.headers["x-forwarded-for"] === undefined || from !== clientAddress(request, nobody);
    if (!known || !parts.readers(from)) return plain(response, 403, "forbidden");
    const [type, text] = await parts.metrics.text();
    response.writeHead(200, { "content-type": type }).end(text);
  }

  async function invite(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { headers, html } = invitationPage(request.headers.host ?? "");
    response.writeHead(200, headers).end(html);
  }

  return (request, response) => {
    const page = pages.get(pathOf(request) ?? "");
    if (page === undefined) return false;
    if (request.method !== "GET" && request.method !== "HEAD") plain(response, 405, "method not allowed");
    else page(request, response).catch(() => plain(response, 500, "failed"));
    return true;
  };
}

const nobody: AddressList = () => false;

/** The path that is asked for; undefined where what was sent is no URL. */
export function pathOf({ url = "/" }: IncomingMessage): string | undefined {
  return URL.parse(url, "http://host")?.pathname;
}

/** A short answer in plain text. */
export function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${text}\n`);
}
