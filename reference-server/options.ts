import type { Server as HttpServer } from "node:http";
import type { Invited } from "./accounts.ts";
import type { Clock } from "./clock.ts";
import type { Cluster } from "./cluster/cluster.ts";
import type { IceOption } from "./ice.ts";
import type { ServerLimits } from "./limits.ts";
import type { Certificate } from "./listen.ts";
import type { Log } from "./log.ts";
import type { Authenticate } from "./sign-in.ts";
import type { Store, Trusted } from "./store/store.ts";

/** What `createServer` takes. Everything has a default. */
export interface ServerOptions {
  /** Where to listen: default 127.0.0.1:8000; port 0 takes a free one. Or ride on an http server of the app's own. */
  host?: string | undefined;
  port?: number | undefined;
  server?: HttpServer | undefined;
  /** Listen with TLS. */
  tls?: Certificate | undefined;
  /** Where the WebSocket is on that server. Default "/". */
  path?: string | undefined;
  /** Where browsers find this server, when a proxy stands before it; invitations lead there. Default: where it listens. */
  publicUrl?: string | undefined;
  /** `":memory:"`, a SQLite file's path (default `bonevalue.db`), a `postgres://` URL, or a store of the app's own. */
  store?: string | Store | undefined;
  /** None: this process is alone. A `redis://` URL, or a cluster of the app's own. */
  cluster?: string | Cluster | undefined;
  /** Page origins that may connect. Default: the server's own, and loopback names. No Origin: no page, and may connect. */
  origins?: readonly string[] | undefined;
  /** For an app with accounts of its own: the user behind a token, or undefined. Replaces passwords; unknown users are made. */
  authenticate?: Authenticate | undefined;
  /**
   * For an app with relationships of its own: whom `username` may reach, and under which alias; two talk when each names
   * the other. Replaces tokens. Remembered until `refresh`, or until word of one may have been lost between servers.
   */
  trusted?: ((username: string) => Promise<readonly Trusted[]>) | undefined;
  /** Delivers an invitation. Default: the link goes to the log at level info. */
  mail?: ((to: string, invitation: Invited) => Promise<void>) | undefined;
  /** Handed to clients: STUN and TURN servers; with `secret`, credentials are minted (coturn's REST scheme) and renewed. */
  ice?: readonly IceOption[] | undefined;
  /** Peers whose X-Forwarded-For counts: addresses and networks. Default none. */
  proxies?: readonly string[] | undefined;
  /** Who may read /metrics: addresses and networks. Default: this machine. */
  metricsReaders?: readonly string[] | undefined;
  /** Allow plain ws beyond loopback, behind a proxy that ends TLS. */
  insecure?: boolean | undefined;
  log?: Log | undefined;
  limits?: Partial<ServerLimits> | undefined;
  /** Default: the platform's time. */
  clock?: Clock | undefined;
}

/** A running server. */
export interface BonevalueServer {
  /** `ws://…` or `wss://…`, once listening. */
  readonly url: string;
  /** For the command line, tests and an app's own administration. */
  readonly accounts: {
    add(username: string, password: string): Promise<void>;
    remove(username: string): Promise<void>;
    /** A one-use link, the secret in its fragment, with which the invited person chooses a password. */
    invite(email: string): Promise<Invited>;
    /** Trust between two accounts without tokens: `a` calls `b` by `aliasOfB`, and the other way round. */
    trust(a: string, aliasOfB: string, b: string, aliasOfA: string): Promise<void>;
  };
  /**
   * Reads `trusted` of this user again, announces the difference to every peer concerned, and has revoked links closed. Two
   * who become friends have both changed: refresh both.
   */
  refresh(username: string): Promise<void>;
  /** Takes no more connections, tells clients when to come back, and closes what it opened. Again: the same promise. */
  close(): Promise<void>;
}
