import type { IncomingMessage } from "node:http";
import { isLoopback } from "./address.ts";

/**
 * Whether a page may connect: its origin is that of the server's public URL `own` or is `listed`. Without a list, it must be
 * the host of the request or a loopback name. A request without an Origin header is allowed: browsers always send one.
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
