import type { Server as HttpServer } from "node:http";
import type { InvitationFrom, InvitationLink } from "./accounts.ts";
import type { Ban, Banned } from "./bans.ts";
import type { Clock } from "./clock.ts";
import type { Cluster } from "./cluster/cluster.ts";
import type { IceOption } from "./ice.ts";
import type { ServerLimits } from "./limits.ts";
import type { Certificate } from "./listen.ts";
import type { Log } from "./log.ts";
import type { RelayLimits } from "./relay/limits.ts";
import type { Authenticate, RoomJoin } from "./sign-in.ts";
import type { Store, Trusted } from "./store/store.ts";

/** Options of `createServer`. All are optional. */
export interface ServerOptions {
  /** The address to listen on. Default 127.0.0.1. Ignored with `server`. */
  host?: string | undefined;
  /** The port to listen on. Default 8000; 0 picks a free port. Ignored with `server`. */
  port?: number | undefined;
  /** An HTTP server of the app. The discovery server attaches to it, and does not start or close it. */
  server?: HttpServer | undefined;
  /** Certificate and key; with them the server uses TLS. */
  tls?: Certificate | undefined;
  /** The path of the WebSocket. Default "/". */
  path?: string | undefined;
  /** The URL of this server for browsers, if it is behind a proxy; invitations use it. Default: the address it listens on. */
  publicUrl?: string | undefined;
  /** The name of the service, at most 64 characters. Invitations and the invitation page show it. */
  name?: string | undefined;
  /** The URL of the app, to which the invitation page links. */
  appUrl?: string | undefined;
  /** `":memory:"`, the path of a SQLite file (default `bonevalue.db`), a `postgres://` URL, or a store of the app. */
  store?: string | Store | undefined;
  /** The maximum number of connections to a `postgres://` store. Default 10. */
  poolSize?: number | undefined;
  /** A `redis://` URL, or a cluster of the app. Default: this process runs alone. */
  cluster?: string | Cluster | undefined;
  /**
   * Page origins that may connect; `https://*.example.org` matches one label, `loopback` all loopback names, and `address` the
   * host of the request if it is an IP address. Default: the server's own origin and loopback names. Clients without an Origin
   * may connect.
   */
  origins?: readonly string[] | undefined;
  /**
   * Whether pages may sign in to rooms, without an account: `true`, or a function that decides for each join. Default false.
   * Anybody who knows the name of a room may then enter it.
   */
  rooms?: boolean | ((join: RoomJoin) => boolean | Promise<boolean>) | undefined;
  /**
   * Passes the bytes of links between peers that find no direct path, encrypted by the peers: `true`, or limits. Default false. In
   * a cluster it needs `nodeUrl`.
   */
  relay?: boolean | Partial<RelayLimits> | undefined;
  /** The URL by which browsers reach this server directly, and no other server of the cluster. Relayed links use it. */
  nodeUrl?: string | undefined;
  /**
   * For an app with its own accounts: returns the user of a token, or the room and the name that it gives the token's owner.
   * Replaces passwords; unknown users are created.
   */
  authenticate?: Authenticate | undefined;
  /**
   * For an app with its own relationships: returns the users whom `username` may reach, with an alias for each. Two users can
   * talk when each names the other. Replaces tokens. Answers are cached until `refresh`, or until a refresh on another server
   * may have been missed.
   */
  trusted?: ((username: string) => Promise<readonly Trusted[]>) | undefined;
  /** Delivers an invitation. Default: the link is logged at level info. */
  mail?: ((to: string, invitation: InvitationLink) => Promise<void>) | undefined;
  /** STUN and TURN servers for clients. With `secret`, credentials are minted (coturn's REST API scheme) and renewed. */
  ice?: readonly IceOption[] | undefined;
  /** Proxies whose X-Forwarded-For header is trusted: addresses, networks, and `unix` for Unix domain sockets. Default: none. */
  proxies?: readonly string[] | undefined;
  /** Addresses and networks that may read /metrics. Default: this machine. */
  metricsReaders?: readonly string[] | undefined;
  /** Accepts unencrypted connections from other machines. Default false. Use it only behind a proxy that terminates TLS. */
  insecure?: boolean | undefined;
  /** Receives the log. Default: lines of JSON on standard output. Fields that could contain a secret are redacted there. */
  log?: Log | undefined;
  /** Limits that replace the defaults. `createServer` rejects unknown ones, and values other than whole numbers and `Infinity`. */
  limits?: Partial<ServerLimits> | undefined;
  /** Default: the system clock. */
  clock?: Clock | undefined;
}

/** A running server. */
export interface BonevalueServer {
  /** `ws://…` or `wss://…`. Throws while the `server` of the app does not listen yet. */
  readonly url: string;
  /** Administration of accounts. */
  readonly accounts: {
    /** Creates an account. A password has at least 8 characters. */
    add(username: string, password: string): Promise<void>;
    /** Removes an account with its sessions, tokens, trust and invitations. Rejects if there is none. */
    remove(username: string): Promise<void>;
    /** Returns the names of all accounts. */
    list(): Promise<readonly string[]>;
    /** Sets a password and ends all sessions of the account. */
    setPassword(username: string, password: string): Promise<void>;
    /** Returns the sessions of an account, the last seen first. */
    sessions(username: string): Promise<
      readonly {
        /** The id of its peer. */
        readonly peer: string;
        /** When it last had a socket, in ms since 1970. */
        readonly seen: number;
      }[]
    >;
    /**
     * Creates a one-use link with which the invited person chooses a password. With `alias`, accepting it also creates trust
     * with the user `from`, as `trust` does; a person who has an account accepts with its password.
     */
    invite(email: string, from?: InvitationFrom): Promise<InvitationLink>;
    /** Creates trust between two accounts: `a` uses the alias `aliasOfB` for `b`, and `b` uses `aliasOfA` for `a`. */
    trust(a: string, aliasOfB: string, b: string, aliasOfA: string): Promise<void>;
  };
  /** Ends the session of a peer, at once on this server and within a second on others. The client may sign in again. */
  kick(peer: string): Promise<void>;
  /**
   * Ends all sessions of a user, or of the clients of an IP address, and refuses new ones until `until`: at once on this server,
   * and within a second on others. An IPv6 address stands for its /64. The store keeps bans, and deletes those that have ended.
   */
  ban(banned: Banned, until: Date): Promise<void>;
  /** Ends a ban. Rejects if there is none. */
  unban(banned: Banned): Promise<void>;
  /** Returns the bans that have not ended. */
  bans(): Promise<readonly Ban[]>;
  /**
   * Reads `trusted` of this user again and sends the changes to all affected peers; links without trust are closed. When two
   * users become friends, both lists have changed: refresh both users.
   */
  refresh(username: string): Promise<void>;
  /** Replaces the TLS certificate; open connections stay. Throws if this server has none, or if the new one cannot be used. */
  replaceCertificate(certificate: Certificate): void;
  /** Accepts no more connections, tells clients when to reconnect, and closes everything it opened. Idempotent. */
  close(): Promise<void>;
}
