import { BonevalueError } from "../../errors.ts";

const scheme = /^([a-z][a-z0-9+.-]*):\/\//i;
const loopback = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/;
const secureOf: Readonly<Record<string, boolean>> = { ws: false, http: false, wss: true, https: true };

/**
 * The WebSocket URL that `host` names: a host name with or without a port (wss, or ws on a loopback name), or a
 * ws(s)/http(s) URL. Throws `unreachable` for anything else.
 */
export function socketUrl(host: string): string {
  const named = scheme.exec(host)?.[1]?.toLowerCase();
  const rest = named === undefined ? host : host.slice(named.length + "://".length);
  const secure = named === undefined ? undefined : secureOf[named];
  const url = parse(`https://${rest}`);
  if (!url || (named !== undefined && secure === undefined)) throw notAHost(host);
  const plain = secure === undefined ? loopback.test(url.hostname) : !secure;
  return `${plain ? "ws" : "wss"}://${rest.split("#")[0]}`;
}

function parse(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url && url.username === "" && url.password === "" ? url : undefined;
}

function notAHost(host: string): BonevalueError {
  return new BonevalueError(
    "unreachable",
    `"${host}" names no discovery server. Give a host name such as "example.org" or "localhost:8000", or a wss:// URL without a user name.`,
  );
}
