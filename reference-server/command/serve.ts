import { readFileSync } from "node:fs";
import type { IceOption } from "../ice.ts";
import { defaultLog } from "../log.ts";
import { type Certificate, createServer, type ServerOptions } from "../server.ts";
import type { Flags } from "./flags.ts";
import { createSmtpMail } from "./mail.ts";
import { reloadCertificate } from "./reload-certificate.ts";
import { untilStopped } from "./until-stopped.ts";

/** Flags of all commands but `dev`. */
export interface StoreValues {
  readonly store?: string;
  readonly url?: string;
}

/** Flags of `serve`. */
export interface ServeValues extends StoreValues {
  readonly host?: string;
  readonly port?: string;
  readonly path?: string;
  readonly "pool-size"?: string;
  readonly cluster?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly insecure?: boolean;
  readonly rooms?: boolean;
  readonly relay?: boolean;
  readonly "node-url"?: string;
  readonly origin?: string[];
  readonly proxy?: string[];
  readonly ice?: string[];
  readonly "ice-secret"?: string;
  readonly "metrics-from"?: string[];
  readonly name?: string;
  readonly "app-url"?: string;
  readonly smtp?: string;
  readonly "mail-from"?: string;
  readonly drain?: string;
  readonly "log-level"?: string;
}

/** Descriptions of these flags. */
export const storeFlags: Flags<StoreValues> = {
  store: {
    value: "FILE|URL",
    help: "The store of accounts: a SQLite file, which serve, user add and invite create if missing, or a postgres:// URL. Default bonevalue.db.",
  },
  url: {
    value: "URL",
    help: "The http(s):// URL of this server for browsers, if it is behind a proxy. Invitations use it.",
  },
};

/** Descriptions of the flags of `serve`. */
export const serveFlags: Flags<ServeValues> = {
  host: {
    value: "HOST",
    help: "Address to listen on. Default 127.0.0.1. Other addresses need --cert and --key, or --insecure.",
  },
  port: { value: "PORT", help: "Port to listen on; 0 picks a free port. Default 8000." },
  path: { value: "PATH", help: "Path of the WebSocket. Default /." },
  ...storeFlags,
  "pool-size": { value: "NUMBER", help: "Maximum number of connections to a postgres:// store. Default 10." },
  cluster: {
    value: "URL",
    help: "A redis:// URL that several servers share to act as one. They also need a shared postgres:// store.",
  },
  cert: { value: "FILE", help: "TLS certificate chain, PEM. Reloaded on SIGHUP and when the file changes." },
  key: { value: "FILE", help: "TLS private key, PEM." },
  insecure: {
    help: "Listen without TLS on addresses other than loopback. Use it only behind a proxy that terminates TLS.",
  },
  rooms: { help: "Let pages sign in to rooms without an account. Anybody who knows the name of a room may enter it." },
  relay: {
    help: "Relay links between peers that find no direct path. The peers encrypt them. With --cluster, --relay needs --node-url.",
  },
  "node-url": {
    value: "URL",
    help: "The http(s):// URL by which browsers reach this server directly, and no other server of the cluster. Relayed links use it.",
  },
  origin: {
    multiple: true,
    value: "ORIGIN",
    help: "A page origin that may connect, such as https://app.example.org, https://*.example.org for any one label, loopback for all loopback names, or address for pages at an IP address of this server; may be repeated. Default: the server's own origin and loopback names.",
  },
  proxy: {
    multiple: true,
    value: "NETWORK",
    help: "Address or network of a proxy whose X-Forwarded-For is trusted, or unix for a Unix domain socket; may be repeated. Default: none.",
  },
  ice: {
    multiple: true,
    value: "URL",
    help: "A stun:, turn: or turns: URL for clients; may be repeated.",
  },
  "ice-secret": {
    value: "SECRET",
    help: "The static-auth-secret of coturn. The server derives credentials for the turn: URLs from it. Each is valid for an hour.",
  },
  "metrics-from": {
    multiple: true,
    value: "NETWORK",
    help: "Address or network that may read /metrics; may be repeated. Default: this machine.",
  },
  name: { value: "NAME", help: "The name of the service, shown in invitations and on the invitation page." },
  "app-url": { value: "URL", help: "The URL of the app. Invitations and the invitation page end with a link to it." },
  smtp: {
    value: "URL",
    help: "The mail server for invitations, as smtp(s)://user:password@host. Without it, links are logged.",
  },
  "mail-from": { value: "ADDRESS", help: "Sender address of invitations." },
  drain: {
    value: "SECONDS",
    help: "How long to wait for clients to move to other servers before stopping. Default 10 with --cluster, else 0.",
  },
  "log-level": { value: "LEVEL", help: "debug, info, warn or error. Default info." },
};

const levels: ReadonlySet<string> = new Set(["trace", "debug", "info", "warn", "error", "fatal", "silent"]);

/** Runs the server until SIGTERM or SIGINT, then stops gracefully. A second signal stops at once. */
export async function serve(flags: ServeValues): Promise<number> {
  const log = defaultLog(checkedLevel(flags["log-level"]));
  const server = await createServer({ ...toServerOptions(flags), log });
  const files = [flags.cert, flags.key].filter((file) => file !== undefined);
  const stopReloading = reloadCertificate(server, files, () => readCertificate(flags), log);
  const stopped = untilStopped(process.env);
  // Last: a process manager may send a signal as soon as it reads this line.
  log.info({ url: server.url }, "listening");
  log.info({ reason: await stopped }, "stopping");
  process.once("SIGTERM", () => process.exit(1));
  process.once("SIGINT", () => process.exit(1));
  await server.close();
  stopReloading();
  return 0;
}

/** Converts flags to the options of `createServer`. Throws if they contradict each other. */
export function toServerOptions(flags: ServeValues): ServerOptions {
  const drain = flags.drain === undefined ? (flags.cluster ? 10 : 0) : parseNumber("drain", flags.drain);
  return {
    host: flags.host,
    port: flags.port === undefined ? undefined : parseNumber("port", flags.port),
    path: flags.path,
    tls: readCertificate(flags),
    publicUrl: flags.url,
    store: flags.store,
    poolSize: flags["pool-size"] === undefined ? undefined : parseNumber("pool-size", flags["pool-size"]),
    cluster: flags.cluster,
    rooms: flags.rooms,
    relay: flags.relay,
    nodeUrl: flags["node-url"],
    origins: flags.origin,
    proxies: flags.proxy,
    insecure: flags.insecure,
    metricsReaders: flags["metrics-from"],
    ice: parseIce(flags.ice ?? [], flags["ice-secret"]),
    name: flags.name,
    appUrl: flags["app-url"],
    mail:
      flags.smtp === undefined
        ? undefined
        : createSmtpMail(flags.smtp, flags["mail-from"], { name: flags.name, appUrl: flags["app-url"] }),
    limits: { drain: Math.round(drain * 1_000) },
  };
}

function checkedLevel(level: string | undefined): string | undefined {
  if (level === undefined || levels.has(level)) return level;
  throw new Error(`--log-level must be debug, info, warn or error, not "${level}".`);
}

function parseNumber(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text)) throw new Error(`--${name} must be a number, not "${text}".`);
  return value;
}

function parseIce(urls: readonly string[], secret: string | undefined): IceOption[] {
  const wrong = urls.find((url) => !/^(stun|turn)s?:/.test(url));
  if (wrong !== undefined) throw new Error(`--ice must be a stun:, turn: or turns: URL, not "${wrong}".`);
  return urls.map((url) => ({ urls: url, ...(url.startsWith("turn") && secret !== undefined && { secret }) }));
}

function readCertificate({ cert, key }: ServeValues): Certificate | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) throw new Error("--cert and --key belong together: set both.");
  return { cert: readFlagFile("cert", cert), key: readFlagFile("key", key) };
}

function readFlagFile(flag: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`The file of --${flag} cannot be read (${why}): check the path and its permissions.`, { cause });
  }
}
