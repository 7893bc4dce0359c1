import { isLoopback } from "./address.ts";
import { isBaseUrl, isWebUrl } from "./invitation.ts";
import { isServiceName } from "./names.ts";
import { nodeProblem } from "./node-version.ts";
import type { ServerOptions } from "./options.ts";
import { anyLoopback, isOriginPattern, ownAddress } from "./origin.ts";
import { withoutSlash } from "./pages.ts";
import { isShared } from "./store/open.ts";

/** Throws for options that cannot work or that would expose passwords; the message says what to do. */
export function checkOptions(options: ServerOptions): void {
  const problem = nodeProblem() ?? findMistake(options) ?? findContradiction(options) ?? findDanger(options);
  if (problem !== undefined) throw new Error(problem);
}

function findMistake(options: ServerOptions): string | undefined {
  const { path = "/", port = 0, origins = [], poolSize = 1, name = "x" } = options;
  const { appUrl = "https://x", nodeUrl = "https://x", rooms = false } = options;
  if (!path.startsWith("/") || URL.parse(path, "http://host")?.pathname !== path)
    return `The path "${path}" is invalid: set \`path\` (--path) to a path such as /p2p, encoded as in a URL.`;
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    return `The port (\`port\`, --port) must be a whole number from 0 to 65535, not ${port}.`;
  if (!Number.isInteger(poolSize) || poolSize < 1)
    return `The pool size (\`poolSize\`, --pool-size) must be a whole number of at least 1, not ${poolSize}.`;
  if (!isServiceName(name)) return "The name of the service (`name`, --name) must have 1 to 64 visible characters.";
  if (!isWebUrl(appUrl))
    return `Browsers cannot open "${appUrl}": set \`appUrl\` (--app-url) to a URL such as https://app.example.org.`;
  if (!isBaseUrl(nodeUrl))
    return `Browsers cannot reach "${nodeUrl}": set \`nodeUrl\` (--node-url) to a URL such as https://node1.example.org, without a query or fragment.`;
  for (const name of ["authenticate", "trusted"] as const)
    if (options[name] !== undefined && typeof options[name] !== "function") return `\`${name}\` must be a function.`;
  if (!["boolean", "function"].includes(typeof rooms)) return "`rooms` must be true, false or a function.";
  if (!Array.isArray(origins)) return '`origins` must be a list, such as ["https://app.example.org"].';
  const pattern = origins.find((origin) => !isOriginPattern(origin));
  if (pattern !== undefined)
    return `The origin "${pattern}" cannot match: \`origins\` (--origin) supports one * as the whole first label, as in https://*.example.org.`;
  const wrong = origins.find((origin) => ![anyLoopback, ownAddress].includes(origin) && !isOrigin(origin));
  if (wrong === undefined) return undefined;
  return `"${wrong}" is not an origin: use a form such as https://app.example.org in \`origins\` (--origin), in lower case and without a path.`;
}

/** Whether a browser would send this Origin. `null` stands for files and sandboxes; apps may have their own schemes. */
function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return (
    text === "null" || url?.origin === text || (url?.origin === "null" && /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*$/.test(text))
  );
}

function findContradiction({
  cluster,
  store = "bonevalue.db",
  path = "/",
  publicUrl,
  nodeUrl,
}: ServerOptions): string | undefined {
  if (!endsWithPath(publicUrl, path))
    return `Invitations to ${publicUrl} would not reach the path ${path}: let \`publicUrl\` (--url) end with ${path}, or leave \`path\` (--path) out if a proxy removes it.`;
  if (!endsWithPath(nodeUrl, path))
    return `Relayed links to ${nodeUrl} would not reach the path ${path}: let \`nodeUrl\` (--node-url) end with ${path}, or leave \`path\` (--path) out if a proxy removes it.`;
  if (typeof cluster !== "string" || isShared(store)) return undefined;
  return "A cluster needs a store that all servers share, and a SQLite file is on one machine: use a postgres:// URL as the store.";
}

function endsWithPath(url: string | undefined, path: string): boolean {
  const { pathname } = URL.parse(url ?? "") ?? {};
  return pathname === undefined || withoutSlash(pathname).endsWith(withoutSlash(path));
}

function findDanger({ host = "127.0.0.1", server, tls, insecure }: ServerOptions): string | undefined {
  if (server !== undefined || tls !== undefined || insecure || isLoopback(host)) return undefined;
  return `Passwords would be sent unencrypted on ${host}: set a certificate (\`tls\`, or --cert and --key), or \`insecure\` (--insecure) behind a proxy that terminates TLS.`;
}
