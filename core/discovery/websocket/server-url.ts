import { BonevalueError } from "../../errors.ts";

const loopback = /^(([\w-]+\.)*localhost|127(\.\d+){3}|\[::1\])(:|\/|$)/i;

/**
 * Returns the WebSocket URL for `host`: a host name with or without a port (wss, or ws for a loopback name), or a
 * ws(s)/http(s) URL. Throws `unreachable` for anything else.
 */
export function socketUrl(host: string): string {
  if (typeof host !== "string") throw notAHost(host);
  const scheme = host.includes("://") ? "" : loopback.test(host) ? "ws://" : "wss://";
  const text = scheme + host;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^(ws|http)s?:$/.test(url.protocol) || url.username || url.password) throw notAHost(host);
  url.hash = "";
  return url.href.replace(/^http/, "ws");
}

function notAHost(host: string): BonevalueError {
  return new BonevalueError(
    "unreachable",
    `"${host}" is not a host. Pass a host name, such as "example.org" or "localhost:8000", or a wss:// URL.`,
  );
}
