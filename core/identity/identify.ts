import type { Credentials, StoredCredentials } from "../discovery/discovery.ts";
import { BonevalueError } from "../errors.ts";
import { guard, report } from "../events.ts";
import type { Alias, Peer, PeerId } from "../peer.ts";
import { us } from "../protocol/alias.ts";
import type { Transport } from "../transport/transport.ts";
import { type Algorithms, loadAlgorithms } from "./algorithms.ts";
import { ownIdentityOf, shownAccountOf, userIdentityOf } from "./describe-identity.ts";
import { createDevice, type Device } from "./device.ts";
import { createIdentifiedLinks, type IdentifiedLinks, redialError } from "./identified-links.ts";
import { keyName } from "./key-name.ts";
import { createMemoryStore, defaultKeyStore } from "./key-store.ts";
import type { IdentityOptions, OwnIdentity, UserIdentity } from "./options.ts";
import type { IdentityRecord } from "./record.ts";
import { deriveAccount, deriveRoom, type SafetyHalves, safetyHalvesOf } from "./tokens.ts";

export { createIndexedDbStore, createMemoryStore } from "./key-store.ts";

/** The parts of the client that one sign-in's identity uses. */
export interface IdentifyOptions {
  readonly options: IdentityOptions;
  readonly transport: Transport;
  /** The server's URL, or its name in a discovery of another kind. */
  readonly server: string;
  readonly credentials: Credentials | StoredCredentials;
  /** The name by which the app knows the room. */
  readonly room: string | undefined;
  readonly app: string;
  /** The own peer id. */
  self(): PeerId;
  /** The peers that are online. */
  peers(): readonly Peer[];
  peer(id: PeerId): Peer | undefined;
  isUser(alias: Alias): boolean;
  /** Dials a peer. Resolves when a link is open. */
  dial(peer: PeerId): Promise<void>;
  endLink(peer: PeerId, reason: BonevalueError): void;
  onOwn(identity: OwnIdentity): void;
  /** Reports the identity of a user. `isNews`: it has changed since the sign-in. */
  onUser(alias: Alias, identity: UserIdentity, isNews: boolean): void;
}

/** The identity of one sign-in. */
export interface Identity {
  readonly client: IdentifyOptions;
  readonly algorithms: Algorithms;
  readonly links: IdentifiedLinks;
  readonly isRoom: boolean;
  /** The name by which the server knows the room, which the secret of the room derives. */
  readonly room: string | undefined;
  /** Reads or makes the key. Rejects with `unsupported` if the store fails. */
  start(username: string): Promise<void>;
  /** Every user about whom something is known, or was known earlier in this sign-in. */
  readonly users: ReadonlyMap<Alias, UserIdentity>;
  /** Peers have come online: dials each peer that must answer a token. */
  onPeers(): void;
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
  const { options, room } = client;
  const algorithms = await loadAlgorithms();
  const isRoom = room !== undefined;
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

  const links = createIdentifiedLinks({
    ...client,
    algorithms,
    verifiedOnly: options.policy === "require",
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
    guard(() => client.onUser(alias, identity, isNews && !isSame));
  }

  return {
    client,
    algorithms,
    links,
    isRoom,
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
    room: secretOfRoom && (await deriveRoom(algorithms, secretOfRoom)),
    async start(username) {
      if (record) return;
      const name = keyName(client.server, client.credentials, options.name ?? username);
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
      await publish(false);
    },
    users,
    onPeers() {
      watch();
      for (const { id, name } of client.peers()) {
        const isAwaited = record.claims.some(({ alias, answered }) => alias === name && alias !== us && !answered);
        if (!isAwaited || dialed.has(id)) continue;
        dialed.add(id);
        client.dial(id).catch(() => {});
      }
    },
    stop() {
      isStopped = true;
      undoSubscription();
      watch();
    },
  };
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
