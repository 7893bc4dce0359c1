import { fromBase64Url, toBase64Url } from "../bytes.ts";
import type { Credentials, DiscoverySession, StoredCredentials } from "../discovery/discovery.ts";
import { BonevalueError } from "../errors.ts";
import { report } from "../events.ts";
import type { Alias, Peer, PeerId } from "../peer.ts";
import { us } from "../protocol/alias.ts";
import type { Transport } from "../transport/transport.ts";
import { loadAlgorithms } from "./algorithms.ts";
import {
  accept,
  addClaim,
  addToken,
  type ClaimedToken,
  clientTokenAgeMs,
  endTrust,
  type IdentityRecord,
  isPending,
  isUnlinked,
  removeDevice,
  removedOf,
  tokenAgeMs,
  userOf,
  withoutClaim,
} from "./contacts.ts";
import { createDevice, type Device } from "./device.ts";
import { createIdentifiedLinks, type IdentifiedLinks } from "./identified-links.ts";
import { createMemoryStore, defaultKeyStore } from "./key-store.ts";
import type { IdentityOptions, OwnIdentity, UserIdentity } from "./options.ts";
import { halfOf } from "./proof.ts";
import { createTokenPart, deriveAccount, isMadeBy, readTokenPart, safetyNumberOf, type TokenPart } from "./tokens.ts";

/** What an identity needs of the client. */
export interface IdentifyOptions {
  readonly options: IdentityOptions;
  readonly transport: Transport;
  readonly host: string;
  readonly credentials: Credentials | StoredCredentials;
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
  /** The identity of a user is another one. `isNews`: it has changed since the sign-in. */
  onUser(alias: Alias, identity: UserIdentity, isNews: boolean): void;
}

/** The requests of a session that concern identity. */
export type TokenServer = Pick<DiscoverySession, "requestToken" | "claimToken" | "removeUser">;

/** The identity of one sign-in. */
export interface Identity {
  readonly links: IdentifiedLinks;
  /** Reads or makes the key. Rejects with `unsupported` if the store fails. */
  start(username: string): Promise<void>;
  userIdentity(alias: Alias): UserIdentity;
  /** Peers have come online: dials those who are to answer a token. */
  onPeers(): void;
  /** Requests and claims tokens, with `server` where they need one. */
  tokens(server: TokenServer): TokenServer;

  acceptIdentity(alias: Alias, account: string): Promise<void>;
  removeDevice(device: string): Promise<void>;
  resetIdentity(): Promise<void>;
  stop(): void;
}

const unknown: UserIdentity = Object.freeze({ status: "unknown" });
const minSecretSize = 16;
const linkingTimeoutMs = 15_000;

/** Creates the identity of one sign-in. The caller ends it with `stop`. */
export async function identify(client: IdentifyOptions): Promise<Identity> {
  const { options, transport, app } = client;
  const algorithms = await loadAlgorithms();
  const room = "room" in client.credentials ? client.credentials.room : undefined;
  if (room !== undefined && !options.secret) throw noSecret();
  const store = room !== undefined ? createMemoryStore() : (options.keyStore ?? (await defaultKeyStore()));

  const published = new Map<Alias, UserIdentity>();
  const waiting = new Set<() => void>();
  // The peers that were dialed for a token.
  const dialed = new Set<PeerId>();
  let device!: Device;
  let record!: IdentityRecord;
  let ownIdentity = "";
  let publishing: Promise<void> = Promise.resolve();
  let undoSubscription = () => {};
  let stopped = false;

  const links = createIdentifiedLinks({
    algorithms,
    transport,
    app,
    verifiedOnly: options.policy === "require",
    accountOf: options.accountOf,
    device: { read: () => device.read(), update: (change) => device.update(change) },
    self: client.self,
    isRoom: room !== undefined,
    nameOf: (peer) => client.peer(peer)?.name,

    endLink: client.endLink,
    onRecord,
    onRefused(alias) {
      if (alias === us) apply((known) => (known.unlinked ? known : { ...known, unlinked: true })).catch(report);
    },
  });

  function onRecord(next: IdentityRecord): void {
    if (stopped || next === record) return;
    const isReset = next.device.publicKey !== record.device.publicKey;
    record = next;
    if (isReset) links.endAll(reconnect("This device has a new identity."));
    else links.recheck(record);
    for (const check of [...waiting]) check();
    publish(true);
  }

  async function apply(change: (known: IdentityRecord) => IdentityRecord): Promise<void> {
    onRecord(await device.update(change));
    await publishing;
  }

  function publish(isNews: boolean): Promise<void> {
    publishing = publishing.then(async () => {
      const aliases = [...record.users, ...record.tokens, ...record.claims].map(({ alias }) => alias);
      for (const alias of new Set([...published.keys(), ...aliases])) await publishUser(alias, isNews);
      const own = ownIdentityOf(record);
      if (stopped || JSON.stringify(own) === ownIdentity) return;
      ownIdentity = JSON.stringify(own);
      client.onOwn(own);
    });
    return publishing;
  }

  async function publishUser(alias: Alias, isNews: boolean): Promise<void> {
    const identity = await identityOf(alias);
    const before = published.get(alias) ?? unknown;
    const isSame = identity.status === before.status && identity.account === before.account;
    if (stopped || (isSame && identity.safetyNumber === before.safetyNumber)) return;
    published.set(alias, identity);
    client.onUser(alias, identity, isNews && !isSame);
  }

  async function identityOf(alias: Alias): Promise<UserIdentity> {
    const { certain, seen, changed } = userOf(record, alias);
    const account = changed ?? certain ?? seen;
    const safetyNumber =
      account === undefined || alias === us
        ? undefined
        : await safetyNumberOf(algorithms, fromBase64Url(record.account)!, fromBase64Url(account)!);
    return Object.freeze({ status: statusOf(record, alias), account, safetyNumber });
  }

  /** Ends the links to a user that the user's token would change, and dials. */
  function dialUser(alias: Alias): void {
    links.end((other, verified) => other === alias && !verified, reconnect(`A token for "${alias}" was claimed.`));
    for (const { id, name } of client.peers()) {
      if (name !== alias) continue;
      dialed.add(id);
      client.dial(id).catch(() => {});
    }
  }

  async function requestToken(server: TokenServer, alias: Alias) {
    if (alias === us) {
      if (record.derived) throw noLinking();
      return makeToken(alias, undefined);
    }
    if (client.isUser(alias)) return makeToken(alias, undefined);
    try {
      return await makeToken(alias, await server.requestToken(alias));
    } catch (error) {
      // The app decides who trusts whom, so the token only verifies.
      if (error instanceof BonevalueError && error.code === "unsupported") return makeToken(alias, undefined);
      throw error;
    }
  }

  async function makeToken(alias: Alias, made: { readonly token: string; readonly expires: Date } | undefined) {
    const account = fromBase64Url(record.account)!;
    const { secret, text } = await createTokenPart(algorithms, alias === us ? 1 : 0, account);
    const until = Date.now() + (made ? tokenAgeMs : clientTokenAgeMs);
    await apply((known) => addToken(known, { alias, secret: toBase64Url(secret), until }));
    return { token: `${made?.token ?? ""}.${text}`, expires: made?.expires ?? new Date(until) };
  }

  async function claimToken(server: TokenServer, alias: Alias, token: string): Promise<void> {
    const part = readTokenPart(token);
    if (!part) return server.claimToken(alias, token);
    if (alias === us) return linkDevice(part);
    const { certain } = userOf(record, alias);
    const answered = certain !== undefined && (await isMadeBy(algorithms, part, 0, fromBase64Url(certain)!));
    const before = record.claims.filter((claim) => claim.alias === alias);
    await apply((known) => addClaim(known, claimOf(alias, part, answered)));
    const serverPart = token.slice(0, token.indexOf("."));
    if (serverPart !== "" && !client.isUser(alias)) {
      await server.claimToken(alias, serverPart).catch(async (error) => {
        // Both users have claimed each other's token: one claim is refused, and both tokens verify.
        if (client.isUser(alias)) return;
        if (isRefusal(error)) {
          await apply((known) => ({ ...known, claims: [...withoutClaim(known, alias).claims, ...before] }));
        }
        throw error;
      });
    }
    dialUser(alias);
  }

  /** Resolves when this device and the code's maker are in one account, whichever of the two joins. */
  async function linkDevice(part: TokenPart): Promise<void> {
    if (record.derived) throw noLinking();
    const claim = claimOf(us, part, false);
    await apply((known) => addClaim(known, claim));
    const isLinked = () => !record.claims.some(({ secret }) => secret === claim.secret);
    links.end((alias) => alias === us, reconnect("A linking code was entered."));
    try {
      await untilLinked(isLinked);
    } catch (error) {
      await apply((known) => withoutClaim(known, us));
      throw error;
    }
  }

  function untilLinked(isLinked: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const tried = new Set<PeerId>();
      const refused = new Set<PeerId>();
      const timer = setTimeout(() => settle(() => reject(notLinked())), linkingTimeoutMs);

      function settle(outcome: () => void): void {
        clearTimeout(timer);
        waiting.delete(check);
        outcome();
      }

      function check(): void {
        if (isLinked() || stopped) {
          settle(isLinked() ? resolve : () => reject(notLinked()));
          return;
        }
        for (const { id } of ownPeers()) {
          if (tried.has(id)) continue;
          tried.add(id);
          dial(id, 2);
        }
      }

      /** Where the maker joins, the second dial carries the approval. */
      function dial(id: PeerId, times: number): void {
        client.dial(id).then(
          () => {
            if (isLinked() || times === 1 || !waiting.has(check)) return;
            links.end((alias) => alias === us, reconnect("The devices are being linked."));
            dial(id, times - 1);
          },
          (error) => {
            if (error.code === "identity-mismatch") refused.add(id);
            if (waiting.has(check) && ownPeers().every((peer) => refused.has(peer.id))) settle(() => reject(error));
          },
        );
      }

      waiting.add(check);
      check();
    });
  }

  function ownPeers(): readonly Peer[] {
    return client.peers().filter(({ name }) => name === us);
  }

  function requireAccount(): void {
    if (room === undefined) return;
    throw new BonevalueError(
      "unsupported",
      "In a room, all who have its secret are one account. Sign in with an account.",
    );
  }

  return {
    links,
    async start(username) {
      if (record) return;
      const name = keyName(client.host, client.credentials, options.name ?? username);
      const { secret } = options;
      device = createDevice({
        algorithms,
        store,
        name: name.join(" "),
        deriveAccount:
          secret &&
          (async () => {
            const bytes = typeof secret === "function" ? await secret() : secret;
            if (bytes.length < minSecretSize) throw shortSecret();
            return room === undefined
              ? deriveAccount(algorithms, bytes, 0, name[1])
              : deriveAccount(algorithms, bytes, 1, room);
          }),
      });
      record = (await device.read()).record;
      undoSubscription = device.subscribe(() => {
        device
          .read()
          .then((state) => onRecord(state.record))
          .catch(report);
      });
      await publish(false);
    },
    userIdentity: (alias) => published.get(alias) ?? unknown,
    onPeers() {
      for (const check of [...waiting]) check();
      for (const { id, name } of client.peers()) {
        if (dialed.has(id) || name === us || !record.claims.some((claim) => claim.alias === name && !claim.answered))
          continue;
        dialed.add(id);
        client.dial(id).catch(() => {});
      }
    },
    tokens: (server) => ({
      requestToken: (alias) => requestToken(server, alias),
      claimToken: (alias, token) => claimToken(server, alias, token),
      async removeUser(alias) {
        try {
          await server.removeUser(alias);
        } catch (error) {
          if (!(error instanceof BonevalueError && error.code === "alias-unknown")) throw error;
          await apply((known) => endTrust(known, alias));
          throw error;
        }
        await apply((known) => endTrust(known, alias));
      },
    }),

    async acceptIdentity(alias, account) {
      requireAccount();
      await apply((known) => accept(known, alias, account, Date.now()));
    },
    async removeDevice(removed) {
      requireAccount();

      await apply((known) => removeDevice(known, removed));
      // Proofs carry the removal, so those who are online get one at once.
      const isConcerned = (alias: Alias) => alias === us || userOf(record, alias).certain !== undefined;
      links.end(isConcerned, reconnect("A device was removed from this account."));
      for (const { id, name } of client.peers()) if (isConcerned(name)) client.dial(id).catch(() => {});
    },
    async resetIdentity() {
      requireAccount();

      await device.reset();
      onRecord((await device.read()).record);
      await publishing;
    },
    stop() {
      stopped = true;
      undoSubscription();
      for (const check of [...waiting]) check();
    },
  };
}

/** The server's host and path, and the user. The app's user name comes before the server's: it selects the key. */
function keyName(
  host: string,
  credentials: Credentials | StoredCredentials,
  username: string,
): readonly [server: string, user: string] {
  const user = ("username" in credentials ? credentials.username : username).normalize();
  const server = host.replace(/^\w+:\/\//, "").replace(/[?#].*$/, "");
  const [name = "", ...path] = server.split("/");
  return [[name.toLowerCase(), ...path].join("/").replace(/\/$/, ""), user.includes("@") ? user.toLowerCase() : user];
}

function claimOf(alias: Alias, { secret, binding }: TokenPart, answered: boolean): ClaimedToken {
  const until = Date.now() + tokenAgeMs;
  return { alias, secret: toBase64Url(secret), binding: toBase64Url(binding), until, answered };
}

function statusOf(record: IdentityRecord, alias: Alias): UserIdentity["status"] {
  const { certain, seen, changed } = userOf(record, alias);
  const isVerified = alias === us ? record.devices.length > 0 && seen === undefined : certain !== undefined;
  if (isVerified && changed === undefined) return "verified";
  if (isPending(record, alias, Date.now())) return "pending";
  if (changed !== undefined || (alias === us && seen !== undefined)) return "changed";
  return seen === undefined ? "unknown" : "seen";
}

function ownIdentityOf(record: IdentityRecord): OwnIdentity {
  const { account, device, derived } = record;
  const removed = removedOf(record, account);
  const isSingle = account === device.publicKey && record.devices.length === 0 && !derived;
  return Object.freeze({
    account,
    device: device.publicKey,
    status: isUnlinked(record) ? "unlinked" : isSingle ? "single" : "linked",
    devices: Object.freeze(
      record.devices.map((other) =>
        Object.freeze({
          device: other.device,
          since: new Date(other.since),
          removed: removed.includes(toBase64Url(halfOf(fromBase64Url(other.device)!))),
        }),
      ),
    ),
  });
}

/** Whether the server has refused a claim. Otherwise it may have been made although there was no answer. */
function isRefusal(error: unknown): boolean {
  return !(error instanceof BonevalueError && ["disconnected", "timeout", "unreachable"].includes(error.code));
}

function reconnect(why: string): BonevalueError {
  return new BonevalueError("disconnected", `${why} Call again to connect anew.`);
}

function noLinking(): BonevalueError {
  return new BonevalueError(
    "unsupported",
    "This account has a `secret`: give it to the other device instead of a code.",
  );
}

function notLinked(): BonevalueError {
  const message =
    "The device that made the code is not online, or the code was replaced. Open the app there and try again.";
  return new BonevalueError("timeout", message);
}

function noSecret(): BonevalueError {
  return new BonevalueError("identity-mismatch", "In a room nobody is verified without `identity.secret`. Pass one.");
}

function shortSecret(): BonevalueError {
  return new BonevalueError("invalid-request", `\`secret\` must have at least ${minSecretSize} random bytes.`);
}
