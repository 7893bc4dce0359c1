import { idleTimeoutMs, maxFirstFrameBytes, maxFrameBytes, pingIntervalMs } from "../core/protocol/limits.ts";

/** Limits that protect the server from hostile and broken clients. Times in ms, sizes in bytes. See docs/security.md. */
export interface ServerLimits {
  /** A socket is closed if its first frame, which signs in, has not arrived in this time. */
  readonly firstFrameTimeout: number;
  /** The size of the first frame. Raise it for long tokens of an app. */
  readonly firstFrameSize: number;
  /** The size of every later frame. */
  readonly frameSize: number;
  /** Unsent bytes on one socket, in addition to its first lists. */
  readonly maxUnsentBytes: number;
  /** Frames read a second from one socket, after a burst. */
  readonly frameRate: number;
  /** Frames that one socket may send at once, before `frameRate` applies. */
  readonly frameBurst: number;
  /** Open sockets on one node from one IPv4 address or IPv6 /64. */
  readonly socketsPerAddress: number;
  /** Open sockets of one account on one node. */
  readonly socketsPerAccount: number;
  /** Peers in one room, on all nodes together. */
  readonly peersPerRoom: number;
  /** Joins of rooms a minute from one IPv4 address or IPv6 /64, on all nodes together. */
  readonly roomJoins: number;
  /** Above this number, the sessions that were unused for longest end. */
  readonly sessionsPerAccount: number;
  /** Remembered devices. Above this number, those that were unused for longest are forgotten. */
  readonly devicesPerAccount: number;
  /** Open sockets on one node that have not signed in yet. */
  readonly socketsBeforeSignIn: number;
  /** Failed sign-ins a minute from one IPv4 address or IPv6 /64, on all nodes together. */
  readonly failuresPerAddress: number;
  /** Failed sign-ins a minute for one account from one address, on all nodes together. */
  readonly failuresPerAccount: number;
  /** Claims of tokens in ten minutes, by one account from one address. */
  readonly claims: number;
  /** Tokens created in an hour by one account. */
  readonly tokens: number;
  /** Invitations in an hour by one account. */
  readonly invitations: number;
  /** Invitations in a day to one e-mail address. Above it, no mail is sent, and the inviters are not told. */
  readonly mailsPerAddress: number;
  /** Passwords waiting to be hashed; two are hashed at the same time. */
  readonly passwordQueue: number;
  /** The server pings each socket once in this time. */
  readonly pingEvery: number;
  /** A socket that has sent nothing for this time is closed. */
  readonly idleTimeout: number;
  /** The time limit of one call of the store and of the app's `authenticate`, `trusted` and `rooms`. */
  readonly backendTimeout: number;
  /** The time in which a lost client may reconnect before its peer is announced as lost. */
  readonly grace: number;
  /** The time in which a page that stays signed in may be reloaded before its peer is announced as gone. */
  readonly reloadGrace: number;
  /** The time without a socket after which a session ends. */
  readonly sessionAge: number;
  /** The time without a socket after which the session of a guest ends. */
  readonly guestAge: number;
  /** The time without use after which a device is forgotten. */
  readonly deviceAge: number;
  /** The time in which a trust token can be claimed. */
  readonly tokenAge: number;
  /** The time in which an invitation can be accepted. */
  readonly invitationAge: number;
  /** The lifetime of minted TURN credentials. */
  readonly iceAge: number;
  /** How often presence and trust are read again, in case a message between nodes was lost. */
  readonly resync: number;
  /** How long `close` waits for clients to move to other nodes. */
  readonly drain: number;
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** The defaults of all limits. */
export const defaultLimits: ServerLimits = {
  firstFrameTimeout: 5 * second,
  firstFrameSize: maxFirstFrameBytes,
  frameSize: maxFrameBytes,
  maxUnsentBytes: 1024 * 1024,
  frameRate: 50,
  frameBurst: 200,
  socketsPerAddress: 1_000,
  socketsPerAccount: 100,
  peersPerRoom: 100,
  roomJoins: 120,
  sessionsPerAccount: 1_000,
  devicesPerAccount: 100,
  socketsBeforeSignIn: 10_000,
  failuresPerAddress: 60,
  failuresPerAccount: 10,
  claims: 20,
  tokens: 100,
  invitations: 20,
  mailsPerAddress: 5,
  passwordQueue: 100,
  pingEvery: pingIntervalMs,
  idleTimeout: idleTimeoutMs,
  backendTimeout: 15 * second,
  grace: 10 * second,
  reloadGrace: 5 * second,
  sessionAge: 24 * hour,
  guestAge: 10 * minute,
  deviceAge: 30 * 24 * hour,
  tokenAge: 10 * minute,
  invitationAge: 7 * 24 * hour,
  iceAge: hour,
  resync: minute,
  drain: 0,
};

// Zero would stall loops or make them spin, or end each session or device as soon as it begins.
const positive: ReadonlySet<string> = new Set<keyof ServerLimits>([
  "frameRate",
  "frameBurst",
  "pingEvery",
  "idleTimeout",
  "backendTimeout",
  "resync",
  "sessionAge",
  "guestAge",
  "sessionsPerAccount",
  "devicesPerAccount",
  "deviceAge",
]);

// Ages become dates and numbers in SQL, which cannot be infinite.
const longestAge = 100 * 365 * 24 * hour;

/** Fills in the defaults of missing limits, as {@link completeLimits} does. An age is at most 100 years. */
export function resolveLimits(given: Partial<ServerLimits> = {}): ServerLimits {
  const limits = Object.entries(completeLimits(defaultLimits, positive, given)).map(([name, limit]) => [
    name,
    name.endsWith("Age") ? Math.min(limit, longestAge) : limit,
  ]);
  return Object.fromEntries(limits);
}

/**
 * Fills in the `defaults` of missing limits. Throws for an unknown limit, and for a value that is not a whole number or
 * `Infinity` (unlimited). Those named in `positive` may not be 0.
 */
export function completeLimits<Limits extends object>(
  defaults: Limits,
  positive: ReadonlySet<string>,
  given: Partial<Limits>,
): Limits {
  const said = Object.entries(given).filter(([, limit]) => limit !== undefined);
  for (const [name, limit] of said) {
    if (!Object.hasOwn(defaults, name)) throw new Error(`There is no limit "${name}": docs/security.md lists them.`);
    checkLimit(name, limit, positive.has(name) ? 1 : 0);
  }
  return { ...defaults, ...Object.fromEntries(said) };
}

function checkLimit(name: string, limit: unknown, least: number): void {
  if ((Number.isInteger(limit) || limit === Number.POSITIVE_INFINITY) && Number(limit) >= least) return;
  throw new Error(`The limit ${name} must be a whole number of at least ${least}, not ${String(limit)}.`);
}
