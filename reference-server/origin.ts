import type { IncomingMessage } from "node:http";
import { isLoopback } from "./address.ts";

/**
 * Whether a page may connect: its origin is `own`, where invitations lead, or is listed; without a list it is the one that
 * the request was sent to, or a loopback name. Whoever sends no origin is no page: a browser always does.
 */
export function mayConnect(request: IncomingMessage, own: string, listed: readonly string[] | undefined): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined || origin === own) return true;
  if (listed) return listed.includes(origin);
  const url = URL.parse(origin);
  return url !== null && (url.host === host || isLoopback(url.hostname));
}
