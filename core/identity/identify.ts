import type { Credentials, Discovery, DiscoveryEvents, StoredCredentials } from "../discovery/discovery.ts";
import { BonevalueError } from "../errors.ts";
import { guard, report } from "../events.ts";
import type { Alias, Peer, PeerId } from "../peer.ts";
import { us } from "../protocol/alias.ts";
import type { Link, LinkIdentity, Transport } from "../transport/transport.ts";
import { type Algorithms, loadAlgorithms } from "./algorithms.ts";
import type { CurrentIdentity } from "./client-identity.ts";
import { ownIdentityOf, shownAccountOf, userIdentityOf } from "./describe-identity.ts";
import { createDevice, type Device } from "./device.ts";
import { createIdentifiedLinks, type IdentifiedLinks, redialError } from "./identified-links.ts";
import { keyName } from "./key-name.ts";
import { createMemoryStore, defaultKeyStore } from "./key-store.ts";
import type { IdentityOptions, IdentityPolicy, OwnIdentity, UserIdentity } from "./options.ts";
import type { IdentityRecord } from "./record.ts";
import { deriveAccount, deriveRoom, type SafetyHalves, safetyHalvesOf } from "./tokens.ts";

export { createIndexedDbStore, createMemoryStore } from "./key-store.ts";

/** The parts of the client that one sign-in's identity uses. */
export interface IdentifyOptions {
  readonly options: IdentityOptions;
  readonly policy: IdentityPolicy;
  readonly discovery: Pick<Discovery, "urlOf">;
  readonly transport: Transport;
  readonly host: string;
  readonly credentials: Credentials | StoredCredentials;
  readonly app: string;
  /** Receives what discovery reports, once the key is known. */
  readonly events: DiscoveryEvents;
  readonly current: CurrentIdentity;
  /** The own peer id. */
  self(): PeerId;
  /** The peers that are online. */
  peers(): readonly Peer[];
  peer(id: PeerId): Peer | undefined;
  isUser(alias: Alias): boolean;
  /** Dials a peer. Resolves when a link is open. */
  dial(peer: PeerId): Promise<void>;
  endLink(peer: PeerId, reason: BonevalueError): void;
  /** Reports the own identity: `undefined` after the sign-in. */
  onOwn(identity: OwnIdentity | undefined): void;
  /** The identity of a user is another one now. */
  onUser(alias: Alias): void;
  /** The same, if it has changed since the sign-in. */
  onChange(alias: Alias, identity: UserIdentity): void;
}

/** The name of an event of discovery, and its arguments. */
type DiscoveryEvent = {
  [Name in keyof DiscoveryEvents]: [name: Name, ...args: Parameters<DiscoveryEvents[Name]>];
}[keyof DiscoveryEvents];

/** The identity of one sign-in. */
export interface Identity {
  readonly client: IdentifyOptions;
  readonly algorithms: Algorithms;
  readonly links: IdentifiedLinks;
  /** As the transport's. */
  readonly open: Transport["open"];
  /** Returns the identity of the peer at the other end of a link. */
  ofLink(link: Link): LinkIdentity | undefined;
  readonly isRoom: boolean;
  /** What the server gets. It knows a room by a name that the secret of the room derives. */
  readonly credentials: Credentials | StoredCredentials;
  /**
   * Passes on what discovery has reported. The first `online` reads or makes the key, and peers that come online are dialed if
   * they must answer a token. Rejects with `unsupported` if the store fails, and for a room that the server has chosen.
   */
  receive(...event: DiscoveryEvent): Promise<void>;
  /** Every user about whom something is known, or was known earlier in this sign-in. */
  readonly users: ReadonlyMap<Alias, UserIdentity>;
  stop(): void;
  /** All that is known, once it has started. */
  readonly record: IdentityRecord;
  readonly isStopped: boolean;
  /** Called when the record or the peers have changed, and at the end of the sign-in. */
  readonly watchers: Set<() => void>;
  /** Resolves when apps know the present record. */
  readonly published: Promise<void>;
  /** Changes the record. Resolves when apps know of it. */
  apply(change: (known: IdentityRecord) => IdentityRecord): Promise<void>;
  /** Replaces the record by one with a new key. */
  reset(): Promise<void>;
}

const minSecretSize = 16;

/** Creates the identity of one sign-in. The caller ends it with `stop`. */
export async function identify(client: IdentifyOptions): Promise<Identity> {
  const { options, policy, host, credentials, events, current } = client;
  const isRoom = "room" in credentials;
  // The name by which the app knows it.
  const room = isRoom ? ("as" in credentials && credentials.as) || credentials.room : undefined;
  if (isRoom && !options.secret) throw noSecret();
  const algorithms = await loadAlgorithms();
  const secretOfRoom = isRoom ? await readSecret() : undefined;
  const store = isRoom ? createMemoryStore() : (options.keyStore ?? (await defaultKeyStore()));

  const users = new Map<Alias, UserIdentity>();
  const watchers = new Set<() => void>();
  // The peers that were dialed because they are to answer a token.
  const dialed = new Set<PeerId>();
  let device!: Device;
  let record!: IdentityRecord;
  let publishedOwn = "";
  let halves: SafetyHalves = new Map();
  let publishing: Promise<void> = Promise.resolve();
  let undoSubscription = () => {};
  let isStopped = false;
  const linkIdentities = new WeakMap<Link, LinkIdentity>();

  const links = createIdentifiedLinks({
    ...client,
    algorithms,
    verifiedOnly: policy === "require",
    accountOf: options.accountOf,
    device: { read: () => device.read(), update: (change) => device.update(change) },
    isRoom,
    nameOf: (peer) => client.peer(peer)?.name,
    onRecord,
    onRefused(alias) {
      if (alias === us) apply((known) => (known.unlinked ? known : { ...known, unlinked: true })).catch(report);
    },
  });

  async function readSecret(): Promise<Uint8Array> {
    const { secret } = options;
    const bytes: unknown = typeof secret === "function" ? await secret() : secret;
    if (!(bytes instanceof Uint8Array) || bytes.length < minSecretSize)
      throw new BonevalueError(
        "invalid-request",
        `\`secret\` must be a Uint8Array of at least ${minSecretSize} random bytes.`,
      );
    return bytes;
  }

  function onRecord(next: IdentityRecord): void {
    if (next === record) return;
    const isReset = next.device.publicKey !== record.device.publicKey;
    record = next;
    if (isReset) links.endAll(redialError("This device has a new identity."));
    else links.recheck(record);
    watch();
    publish(true);
  }

  async function apply(change: (known: IdentityRecord) => IdentityRecord): Promise<void> {
    onRecord(await device.update(change));
    await publishing;
  }

  async function reread(): Promise<void> {
    onRecord((await device.read()).record);
    await publishing;
  }

  /** Learns of changes whose reports a suspended page has missed. */
  function catchUp(): Promise<void> {
    device.forget();
    return reread().catch(report);
  }

  function watch(): void {
    for (const watcher of [...watchers]) watcher();
  }

  function publish(isNews: boolean): Promise<void> {
    publishing = publishing
      .then(async () => {
        const known = record;
        const aliases = [...known.users, ...known.tokens, ...known.claims].map(({ alias }) => alias);
        const all = [...new Set([...users.keys(), ...aliases])];
        const accounts = all.map((alias) => shownAccountOf(known, alias)).filter((account) => account !== undefined);
        halves = await safetyHalvesOf(algorithms, [known.account, ...accounts], halves);
        for (const alias of all) publishUser(alias, userIdentityOf(known, alias, halves), isNews);
        const own = ownIdentityOf(known);
        if (isStopped || JSON.stringify(own) === publishedOwn) return;
        publishedOwn = JSON.stringify(own);
        guard(() => client.onOwn(own));
      })
      .catch(report);
    return publishing;
  }

  function publishUser(alias: Alias, identity: UserIdentity, isNews: boolean): void {
    const before = users.get(alias);
    const isSame = identity.status === (before?.status ?? "unknown") && identity.account === before?.account;
    if (isStopped || (isSame && identity.safetyNumber === before?.safetyNumber)) return;
    users.set(alias, identity);
    guard(() => {
      client.onUser(alias);
      if (isNews && !isSame) client.onChange(alias, identity);
    });
  }

  async function start(username: string): Promise<void> {
    if (record) return catchUp();
    const name = keyName(client.discovery.urlOf?.(host) ?? host, credentials, options.name ?? username);
    device = createDevice({
      algorithms,
      store,
      name: name.join(" "),
      deriveAccount:
        options.secret &&
        (async () => {
          const secret = secretOfRoom ?? (await readSecret());
          return deriveAccount(algorithms, secret, isRoom ? 1 : 0, room ?? name[1]);
        }),
    });
    record = (await device.read()).record;
    undoSubscription = device.subscribe(() => void reread().catch(report));
    if (isStopped) undoSubscription();
    else current.identity = identity;
    await publish(false);
  }

  /** The server has chosen the room, so that no secret protects it. Only an app's token can ask for that. */
  function leaveUnsigned(): void {
    if (record || !("token" in credentials))
      throw new BonevalueError("protocol", "The discovery server has put an account into a room.");
    if (policy === "require") throw noSecret();
    current.isUnsigned = true;
  }

  /** Dials each peer that must answer a token. */
  function onPeers(): void {
    watch();
    for (const { id, name } of client.peers()) {
      const isAwaited = record.claims.some(({ alias, answered }) => alias === name && alias !== us && !answered);
      if (!isAwaited || dialed.has(id)) continue;
      dialed.add(id);
      client.dial(id).catch(() => {});
    }
  }

  function stop(): void {
    isStopped = true;
    undoSubscription();
    watch();
    if (current.identity !== identity) return;
    current.identity = undefined;
    client.onOwn(undefined);
    for (const alias of users.keys()) client.onUser(alias);
  }

  const identity: Identity = {
    client,
    algorithms,
    links,
    open(...args) {
      const { link, identity } = links.open(...args);
      linkIdentities.set(link, identity);
      return link;
    },
    ofLink: (link) => linkIdentities.get(link),
    isRoom,
    credentials: secretOfRoom ? { ...credentials, room: await deriveRoom(algorithms, secretOfRoom) } : credentials,
    async receive(...event) {
      let [name, ...args] = event;
      if (event[0] === "online") {
        const [, snapshot] = event;
        const { self } = snapshot;
        if (!isRoom && self.room !== undefined) leaveUnsigned();
        else await start(self.username);
        if (room !== undefined) args = [{ ...snapshot, self: { ...self, room } }];
      }
      if (isStopped) return;
      guard(() => (events[name] as (...args: unknown[]) => void)(...args));
      if (name === "woke" && record) void catchUp();
      if (name === "ended") stop();
      else if (current.identity === identity && (name === "online" || name === "peerConnect")) onPeers();
    },
    users,
    stop,
    watchers,
    get record() {
      return record;
    },
    get isStopped() {
      return isStopped;
    },
    get published() {
      return publishing;
    },
    apply,
    async reset() {
      await device.reset();
      await reread();
    },
  };
  return identity;
}

function noSecret(): BonevalueError {
  const message = "In a room nobody is verified without `identity.secret`. Pass one, and the name of the room.";
  return new BonevalueError("identity-mismatch", message);
}

/** Ends the links of some peers, and dials them. */
export function redial(
  { client, links }: Identity,
  isConcerned: (alias: Alias, verified: boolean) => boolean,
  why: string,
): void {
  links.end(isConcerned, redialError(why));
  for (const { id, name } of client.peers()) if (isConcerned(name, false)) client.dial(id).catch(() => {});
}
