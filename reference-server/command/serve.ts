import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IceOption } from "../ice.ts";
import { defaultLog } from "../log.ts";
import { type Certificate, createServer, type ServerOptions } from "../server.ts";
import type { Flags } from "./flags.ts";
import { smtpMail } from "./mail.ts";

/** What every command can be given. */
export interface StoreValues {
  readonly store?: string;
  readonly url?: string;
}

/** What `bonevalue-server serve` can be given. */
export interface ServeValues extends StoreValues {
  readonly host?: string;
  readonly port?: string;
  readonly path?: string;
  readonly cluster?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly insecure?: boolean;
  readonly origin?: string[];
  readonly proxy?: string[];
  readonly ice?: string[];
  readonly "ice-secret"?: string;
  readonly "metrics-from"?: string[];
  readonly smtp?: string;
  readonly "mail-from"?: string;
  readonly drain?: string;
  readonly "log-level"?: string;
}

/** Flags of every command. */
export const storeFlags: Flags<StoreValues> = {
  store: {
    value: "FILE|URL",
    help: "Where accounts live: a SQLite file, made when missing, or a postgres:// URL. Default bonevalue.db.",
  },
  url: {
    value: "URL",
    help: "Where browsers find this server, as http(s)://…, when a proxy stands before it. Invitations lead there.",
  },
};

/** Flags of `bonevalue-server serve`. */
export const serveFlags: Flags<ServeValues> = {
  host: {
    value: "HOST",
    help: "Address to listen on. Default 127.0.0.1. Beyond this machine give --cert and --key, or --insecure.",
  },
  port: { value: "PORT", help: "Port to listen on; 0 takes a free one. Default 8000." },
  path: { value: "PATH", help: "The WebSocket's path. Default /." },
  ...storeFlags,
  cluster: {
    value: "URL",
    help: "A redis:// URL that several servers share, to act as one. They need a postgres:// store then.",
  },
  cert: { value: "FILE", help: "TLS certificate chain, PEM." },
  key: { value: "FILE", help: "TLS private key, PEM." },
  insecure: { help: "Listen without TLS beyond this machine: only behind a proxy that ends TLS." },
  origin: {
    multiple: true,
    value: "ORIGIN",
    help: "A page origin that may connect, such as https://app.example.org; may be repeated. Default: the server's own, and loopback names.",
  },
  proxy: {
    multiple: true,
    value: "NETWORK",
    help: "A proxy whose X-Forwarded-For is believed, as an address or network; may be repeated. Default: none.",
  },
  ice: {
    multiple: true,
    value: "URL",
    help: "A stun:, turn: or turns: URL for clients; may be repeated.",
  },
  "ice-secret": {
    value: "SECRET",
    help: "coturn's static-auth-secret: credentials for the turn: URLs are minted from it, for an hour each.",
  },
  "metrics-from": {
    multiple: true,
    value: "NETWORK",
    help: "Who may read /metrics, as an address or network; may be repeated. Default: this machine.",
  },
  smtp: {
    value: "URL",
    help: "smtp(s)://user:password@host to mail invitations with. Without it, links go to the log.",
  },
  "mail-from": { value: "ADDRESS", help: "The sender of invitations." },
  drain: {
    value: "SECONDS",
    help: "How long clients have to move to other servers before this one stops. Default 10 with --cluster, else 0.",
  },
  "log-level": { value: "LEVEL", help: "debug, info, warn or error. Default info." },
};

const levels: ReadonlySet<string> = new Set(["trace", "debug", "info", "warn", "error", "fatal", "silent"]);

/** Serves until SIGTERM or SIGINT, then lets clients go. A second signal stops at once. */
export async function serve(flags: ServeValues): Promise<number> {
  const log = defaultLog(levelFrom(flags["log-level"]));
  const server = await createServer({ ...optionsFrom(flags), log });
  log.info({ url: server.url }, "listening");
  await Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
  log.info({}, "stopping");
  process.once("SIGTERM", () => process.exit(1));
  process.once("SIGINT", () => process.exit(1));
  await server.close();
  return 0;
}

/** What `createServer` takes, from the flags. Throws where they contradict each other. */
export function optionsFrom(flags: ServeValues): ServerOptions {
  const drain = flags.drain === undefined ? (flags.cluster ? 10 : 0) : number("drain", flags.drain);
  return {
    host: flags.host,
    port: flags.port === undefined ? undefined : number("port", flags.port),
    path: flags.path,
    tls: tlsFrom(flags),
    publicUrl: flags.url,
    store: flags.store,
    cluster: flags.cluster,
    origins: flags.origin,
    proxies: flags.proxy,
    insecure: flags.insecure,
    metricsReaders: flags["metrics-from"],
    ice: iceFrom(flags.ice ?? [], flags["ice-secret"]),
    mail: flags.smtp === undefined ? undefined : smtpMail(flags.smtp, flags["mail-from"]),
    limits: { drain: Math.round(drain * 1_000) },
  };
}

function levelFrom(level: string | undefined): string | undefined {
  if (level === undefined || levels.has(level)) return level;
  throw new Error(`--log-level takes debug, info, warn or error, not "${level}".`);
}

function number(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text)) throw new Error(`--${name} takes a number, not "${text}".`);
  return value;
}

function iceFrom(urls: readonly string[], secret: string | undefined): IceOption[] {
  const wrong = urls.find((url) => !/^(stun|turn)s?:/.test(url));
  if (wrong !== undefined) throw new Error(`--ice takes a stun:, turn: or turns: URL, not "${wrong}".`);
  return urls.map((url) => ({ urls: url, ...(url.startsWith("turn") && secret !== undefined && { secret }) }));
}

function tlsFrom({ cert, key }: ServeValues): Certificate | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) throw new Error("--cert and --key go together.");
  return { cert: contentOf("cert", cert), key: contentOf("key", key) };
}

function contentOf(flag: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`The file of --${flag} cannot be read (${why}).`, { cause });
  }
}
