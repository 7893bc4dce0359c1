import type { IncomingMessage } from "node:http";
import { isLoopback } from "./address.ts";

/**
 * Whether a page may connect: its origin is listed or, without a list, is the server's own or a loopback name. Whoever
 * sends no origin is no page: a browser always does.
 */
export function mayConnect(request: IncomingMessage, listed: readonly string[] | undefined): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return true;
  if (listed) return listed.includes(origin);
  const url = URL.parse(origin);
  return url !== null && (url.host === host || isLoopback(url.hostname));
}
