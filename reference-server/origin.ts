import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { isLoopback } from "./address.ts";

/** The entry of a list of origins for all loopback names, with any scheme and port. */
export const anyLoopback = "loopback";

/** The entry of a list of origins for the host of the request, if that is an IP address. */
export const ownAddress = "address";

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
  const url = URL.parse(origin);
  const isLocal = url !== null && isLoopback(url.hostname);
  const isOwn = url?.host === host;
  if (!listed) return isLocal || isOwn;
  return listed.some((entry) => {
    if (entry === anyLoopback) return isLocal;
    // A host name may lead here by DNS rebinding, so that the page is from elsewhere.
    if (entry === ownAddress) return isOwn && isAddress(url?.hostname ?? "");
    return matchesOrigin(entry, origin);
  });
}

/** Whether the host of a URL is an IP address. An IPv6 address is in brackets. */
function isAddress(host: string): boolean {
  return isIP(host.replace(/^\[|\]$/g, "")) !== 0;
}

/** Whether a pattern can match an origin: it has no `*`, or one as its first label, as in `https://*.example.com`. */
export function isOriginPattern(pattern: string): boolean {
  return !pattern.includes("*") || /^[a-z][a-z0-9+.-]*:\/\/\*\.[^*.]+(\.[^*.]+)+$/.test(pattern);
}

/** `*` matches exactly one label, as in a TLS certificate (RFC 6125, 6.4.3). */
function matchesOrigin(pattern: string, origin: string): boolean {
  const [before, after] = pattern.split("*");
  if (before === undefined || after === undefined) return pattern === origin;
  const label = origin.slice(before.length, origin.length - after.length);
  return origin.startsWith(before) && origin.endsWith(after) && /^[a-z0-9_-]+$/.test(label);
}
