import { idleTimeoutMs, maxFrameBytes, pingIntervalMs } from "../core/protocol/limits.ts";

/** Budgets against hostile and broken clients. Times in ms, sizes in bytes. docs/security.md says what each is for. */
export interface ServerLimits {
  readonly firstFrameTimeout: number;
  /** Raise it where an app's own tokens are long. */
  readonly firstFrameSize: number;
  readonly frameSize: number;
  /** Waiting to be sent on one socket, beyond its first lists. */
  readonly maxUnsentBytes: number;
  /** Frames a second that are read from one socket, after a burst. */
  readonly frameRate: number;
  readonly frameBurst: number;
  /** Open at once on one node, from one IPv4 address or IPv6 /64. */
  readonly socketsPerAddress: number;
  readonly socketsPerAccount: number;
  /** Those not seen for longest end where one account begins more. */
  readonly sessionsPerAccount: number;
  /** Open at once on one node that have not signed in yet. */
  readonly socketsBeforeSignIn: number;
  /** Failed proofs a minute from one IPv4 address or IPv6 /64, on all nodes together. */
  readonly failuresPerAddress: number;
  /** Failed proofs a minute for one account from one address, on all nodes together. */
  readonly failuresPerAccount: number;
  /** Of one account from one address, in ten minutes. */
  readonly claims: number;
  /** Made by one account, in an hour. */
  readonly tokens: number;
  /** Of one account, in an hour. */
  readonly invitations: number;
  /** Passwords that wait to be hashed; two are hashed at once. */
  readonly passwordQueue: number;
  readonly pingEvery: number;
  /** A socket that has sent nothing for so long is dropped. */
  readonly idleTimeout: number;
  /** What the store, and the app's own `authenticate` and `trusted`, may take for an answer. */
  readonly backendTimeout: number;
  /** From the loss of a socket to the announcement. */
  readonly grace: number;
  /** Without a socket, until a session ends. */
  readonly sessionAge: number;
  readonly tokenAge: number;
  readonly invitationAge: number;
  /** Of minted TURN credentials. */
  readonly iceAge: number;
  /** How often presence and trust are read again, in case word of a change was lost. */
  readonly resync: number;
  /** How long `close` lets clients move to other nodes. */
  readonly drain: number;
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** What holds where an option does not say otherwise. */
export const defaultLimits: ServerLimits = {
  firstFrameTimeout: 5 * second,
  firstFrameSize: 4 * 1024,
  frameSize: maxFrameBytes,
  maxUnsentBytes: 1024 * 1024,
  frameRate: 50,
  frameBurst: 200,
  socketsPerAddress: 1_000,
  socketsPerAccount: 100,
  sessionsPerAccount: 1_000,
  socketsBeforeSignIn: 10_000,
  failuresPerAddress: 60,
  failuresPerAccount: 10,
  claims: 20,
  tokens: 100,
  invitations: 20,
  passwordQueue: 100,
  pingEvery: pingIntervalMs,
  idleTimeout: idleTimeoutMs,
  backendTimeout: 15 * second,
  grace: 10 * second,
  sessionAge: 24 * hour,
  tokenAge: 10 * minute,
  invitationAge: 7 * 24 * hour,
  iceAge: hour,
  resync: minute,
  drain: 0,
};

// At nought these would stand still, or never rest.
const atLeastOne: ReadonlySet<string> = new Set<keyof ServerLimits>([
  "frameRate",
  "frameBurst",
  "pingEvery",
  "idleTimeout",
  "backendTimeout",
  "resync",
  "sessionAge",
]);

/**
 * What a server is told, and the default wherever that is nothing. Throws for what is no limit, or no whole number;
 * `Infinity` is no limit at all.
 */
export function limitsOf(given: Partial<ServerLimits> = {}): ServerLimits {
  const said = Object.entries(given).filter(([, limit]) => limit !== undefined);
  for (const [name, limit] of said) check(name, limit);
  return { ...defaultLimits, ...Object.fromEntries(said) };
}

function check(name: string, limit: unknown): void {
  if (!Object.hasOwn(defaultLimits, name)) throw new Error(`There is no limit "${name}": docs/security.md lists them.`);
  const least = atLeastOne.has(name) ? 1 : 0;
  if ((Number.isInteger(limit) || limit === Number.POSITIVE_INFINITY) && Number(limit) >= least) return;
  throw new Error(`The limit ${name} is a whole number, ${least} or more, not ${String(limit)}.`);
}
