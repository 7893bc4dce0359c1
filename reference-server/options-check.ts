import { isLoopback } from "./address.ts";
import { nodeProblem } from "./node-version.ts";
import type { ServerOptions } from "./options.ts";
import { isShared } from "./store/open.ts";

/** Throws, saying what to do, for options that could never work, or that would give passwords away. */
export function checkOptions(options: ServerOptions): void {
  const problem = nodeProblem() ?? mistake(options) ?? contradiction(options) ?? danger(options);
  if (problem !== undefined) throw new Error(problem);
}

function mistake({ path = "/", port = 0, origins = [] }: ServerOptions): string | undefined {
  if (!path.startsWith("/") || URL.parse(path, "http://host")?.pathname !== path)
    return `No request is for the path "${path}": give a path such as /p2p (\`path\`, --path), spelled as in a URL.`;
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    return `A port (\`port\`, --port) is a whole number from 0 to 65535, not ${port}.`;
  const wrong = origins.find((origin) => !isOrigin(origin));
  if (wrong === undefined) return undefined;
  return `No page comes from "${wrong}": an origin (\`origins\`, --origin) is such as https://app.example.org, in small letters and without a path.`;
}

/** As browsers write it: `null` stands for files and sandboxes, and apps have schemes of their own. */
function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return (
    text === "null" || url?.origin === text || (url?.origin === "null" && /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*$/.test(text))
  );
}

function contradiction({ cluster, store = "bonevalue.db" }: ServerOptions): string | undefined {
  if (typeof cluster !== "string" || isShared(store)) return undefined;
  return "A cluster of servers needs a store that all of them share, and a SQLite file is one machine's: give a postgres:// URL as the store.";
}

function danger({ host = "127.0.0.1", server, tls, insecure }: ServerOptions): string | undefined {
  if (server !== undefined || tls !== undefined || insecure || isLoopback(host)) return undefined;
  return `Passwords would cross the network in the clear on ${host}: give a certificate (\`tls\`, or --cert and --key), or say \`insecure\` (--insecure) where a proxy ends TLS.`;
}
