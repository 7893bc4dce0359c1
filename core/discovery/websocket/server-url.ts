import { BonevalueError } from "../../errors.ts";
import { missingFeature } from "../../missing-feature.ts";

const loopback = /^(([\w-]+\.)*localhost|127(\.\d+){3}|\[::1\])(:|\/|$)/i;

/**
 * Returns the WebSocket URL for `host`: a host name with or without a port (wss, or ws for a loopback name), or a
 * ws(s)/http(s) URL. Throws `unreachable` for anything else.
 */
export function socketUrl(host: string): string {
  if (typeof host !== "string") throw notAHost(host);
  const scheme = host.includes("://") ? "" : loopback.test(host) ? "ws://" : "wss://";
  let url: URL | undefined;
  try {
    // React Native has no `URL.canParse`, and its URLs may throw when they are read.
    url = new URL(scheme + host);
    url.hash = "";
    if (/^(ws|http)s?:$/.test(url.protocol) && !url.username && !url.password) return url.href.replace(/^http/, "ws");
  } catch (cause) {
    if (url) throw missingFeature("complete URL", "react-native-url-polyfill", cause);
  }
  throw notAHost(host);
}

function notAHost(host: string): BonevalueError {
  return new BonevalueError(
    "unreachable",
    `"${host}" is not a host. Pass a host name, such as "example.org" or "localhost:8000", or a wss:// URL.`,
  );
}
