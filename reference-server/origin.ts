import type { IncomingMessage } from "node:http";
import { isLoopback } from "./address.ts";

/**
 * Whether a page may connect: it is of `own`, the URL where invitations lead, or its origin is listed; without a list it is
 * the one that the request was sent to, or a loopback name. Whoever sends no origin is no page: a browser always does.
 */
export function isOriginAllowed(
  request: IncomingMessage,
  own: string | undefined,
  listed: readonly string[] | undefined,
): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined || origin === (own && new URL(own).origin)) return true;
  if (listed) return listed.includes(origin);
  const url = URL.parse(origin);
  return url !== null && (url.host === host || isLoopback(url.hostname));
}
