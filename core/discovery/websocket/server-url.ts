import { BonevalueError } from "../../errors.ts";
import { missingFeature } from "../../missing-feature.ts";

const loopback = /^(([\w-]+\.)*localhost|127(\.\d+){3}|\[::1\])(:|\/|$)/i;

/**
 * Returns the WebSocket URL for `host`: a host name with or without a port (wss, or ws for a loopback name), a ws(s)/http(s)
 * URL, or a path on the origin of this page. Throws `unreachable` for anything else.
 */
export function socketUrl(host: string): string {
  if (typeof host !== "string") throw notAHost(host);
  const start = host.startsWith("/")
    ? pageOrigin(host)
    : host.includes("://")
      ? ""
      : loopback.test(host)
        ? "ws://"
        : "wss://";
  let url: URL | undefined;
  try {
    // React Native has no `URL.canParse`, and its URLs may throw when they are read.
    url = new URL(start + host);
    url.hash = "";
    if (/^(ws|http)s?:$/.test(url.protocol) && !url.username && !url.password) return url.href.replace(/^http/, "ws");
  } catch (cause) {
    if (url) throw missingFeature("complete URL", "react-native-url-polyfill", cause);
  }
  throw notAHost(host);
}

function pageOrigin(path: string): string {
  // Only browsers have a location, and the origin of a file and of a sandboxed page is "null".
  const origin: string | undefined = globalThis.location?.origin;
  if (origin?.startsWith("http")) return origin;
  throw new BonevalueError(
    "unreachable",
    `"${path}" is a path, but this program is not a page of a web server. Pass a URL, such as "wss://example.org${path}".`,
  );
}

function notAHost(host: string): BonevalueError {
  return new BonevalueError(
    "unreachable",
    `"${host}" is not a host. Pass a host name, such as "example.org" or "localhost:8000", a wss:// URL, or a path.`,
  );
}
