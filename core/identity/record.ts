import { fromBase64Url, toBase64Url } from "../bytes.ts";
import type { Alias } from "../peer.ts";
import { us } from "../protocol/alias.ts";
import type { StoredKey } from "./algorithms.ts";
import { type Approval, halfOf, type ProofBody, readChain, writeChain } from "./proof.ts";
import type { Purpose } from "./tokens.ts";

// What this account knows of itself and of other users. All functions that change it are pure: a record and an event give
// the next record, so that a key store can apply them in one step for all tabs. judge.ts and link-devices.ts have those for
// proofs of peers, user-changes.ts those for what the user does.
//
// Keys are text here, as apps see them: 43 characters of base64url.

/** Everything that a key store keeps for one account and server. */
export interface IdentityRecord {
  readonly device: StoredKey;
  readonly account: string;
  /** The own approval chain, as bytes in base64url. */
  readonly chain: string;
  /** The account has a `secret`, so that its devices approve themselves. */
  readonly derived: boolean;
  /** The accounts to which this device belonged before. */
  readonly formerAccounts: readonly string[];
  /** A peer has shown that this user has another account. */
  readonly unlinked: boolean;
  /** The other devices of the account that this one has met or approved. */
  readonly devices: readonly KnownDevice[];
  /** The devices that have answered a linking code and are to join. */
  readonly joining: readonly string[];
  readonly users: readonly KnownUser[];
  /** The accounts with which this user has ended the trust, the newest last. */
  readonly ended: readonly string[];
  /** The first halves of removed device keys, by account. */
  readonly removed: readonly { readonly account: string; readonly keys: readonly string[] }[];
  /** The tokens that this account has made and nobody has answered. */
  readonly tokens: readonly MadeToken[];
  readonly claims: readonly ClaimedToken[];
}

/** Another device of the own account. Times in ms since 1970. */
export interface KnownDevice {
  readonly device: string;
  readonly since: number;
  /** This device has approved it. */
  readonly approved: boolean;
}

/** The stored data of one user. */
export interface KnownUser {
  readonly alias: Alias;
  /** The verified account. */
  readonly certain?: string | undefined;
  /** When it was verified, in ms since 1970. */
  readonly since?: number | undefined;
  /** The account of first use, where none is verified. */
  readonly seen?: string | undefined;
  /** Another account that has been shown since. */
  readonly changed?: string | undefined;
  /** The user's signed statement about this account, for the user's other devices. */
  readonly introduction?: KeptIntroduction | undefined;
}

/** An introduction as it is kept. */
export interface KeptIntroduction {
  /** The account of the user who signed it. */
  readonly by: string;
  /** The own account at that time. */
  readonly about: string;
  readonly time: number;
  readonly chain: string;
  /** As bytes in base64url. */
  readonly introduction: string;
}

/** A token that waits for its answer. Times in ms since 1970. */
export interface MadeToken {
  readonly alias: Alias;
  readonly secret: string;
  readonly until: number;
  /** The device that has answered a linking code, and is to approve this device. */
  readonly claimedBy?: string | undefined;
}

/** A token of another user, or of another device of the account. */
export interface ClaimedToken extends MadeToken {
  readonly binding: string;
  /** The account that is certain for the name is the maker's. */
  readonly answered: boolean;
}

// How many users are kept that nobody has verified: a server can invent any number.
const maxUnverified = 1_024;

/** How many keys of an account can be removed. With one more the account is refused. */
export const maxRemoved = 256;

/** The record of a device that is the first of its account. */
export function createRecord(device: StoredKey): IdentityRecord {
  return {
    device,
    account: device.publicKey,
    chain: toBase64Url(writeChain([])),
    derived: false,
    formerAccounts: [],
    unlinked: false,
    devices: [],
    joining: [],
    users: [],
    ended: [],
    removed: [],
    tokens: [],
    claims: [],
  };
}

/** The own account and approval chain as bytes. */
export function ownChain({ account, chain }: IdentityRecord): Pick<ProofBody, "account" | "chain"> {
  return { account: fromBase64Url(account)!, chain: readChain(fromBase64Url(chain)!) };
}

/** Returns the stored data of a user. */
export function userOf(record: IdentityRecord, alias: Alias): KnownUser {
  return record.users.find((user) => user.alias === alias) ?? { alias };
}

/** Replaces the stored data of a user. If too many users are not verified, the one with the oldest change is forgotten. */
export function setUser(record: IdentityRecord, user: KnownUser): IdentityRecord {
  const all = [...record.users.filter(({ alias }) => alias !== user.alias), user];
  const [oldest, ...others] = all.filter(({ certain }) => certain === undefined);
  return { ...record, users: others.length < maxUnverified ? all : all.filter((other) => other !== oldest) };
}

/** Marks an account as certain for a name. Ends a change that was reported for it. */
export function certify(record: IdentityRecord, alias: Alias, account: string, since: number): IdentityRecord {
  const user = userOf(record, alias);
  if (user.certain === account && user.since === since && user.changed === undefined) return record;
  return setUser(record, { alias, certain: account, since, introduction: user.introduction });
}

/** Begins the trust with an account again, if the user has ended it. */
export function trustAgain(record: IdentityRecord, account: string): IdentityRecord {
  if (!record.ended.includes(account)) return record;
  return { ...record, ended: record.ended.filter((ended) => ended !== account) };
}

/** The own account, and those of the users. */
function accountsOf({ account, users }: IdentityRecord): ReadonlySet<string | undefined> {
  return new Set([account, ...users.flatMap(({ certain, seen, changed }) => [certain, seen, changed])]);
}

/** Whether the account is certain for another name. */
export function isAnotherUsers({ users }: IdentityRecord, name: Alias, account: string): boolean {
  return users.some(({ alias, certain }) => certain === account && alias !== name);
}

/** Whether a proof is for an account that this device does not have, and did not have before. */
export function isForAnother({ account, formerAccounts }: IdentityRecord, { to }: Pick<ProofBody, "to">): boolean {
  return to !== undefined && ![account, ...formerAccounts].includes(toBase64Url(to));
}

/** Whether a token for this name waits for the other side. */
export function isPending({ tokens, claims }: IdentityRecord, name: Alias, now: number): boolean {
  return [...tokens, ...claims.filter(({ answered }) => !answered)].some(
    ({ alias, until }) => alias === name && until > now,
  );
}

/** A token for `Us` links devices, and another one verifies a user. */
export function purposeOf(alias: Alias): Purpose {
  return alias === us ? 1 : 0;
}

/** Whether the account has no other device. */
export function isOnlyDevice({ account, device, devices }: IdentityRecord): boolean {
  return account === device.publicKey && devices.length === 0;
}

/** Whether this is the only device of its account, has approved none, and has verified no user. */
export function isSingle(record: IdentityRecord): boolean {
  return isOnlyDevice(record) && record.users.every(({ certain }) => certain === undefined);
}

/** The first halves of removed keys of an account. */
export function removedOf({ removed }: IdentityRecord, account: string): readonly string[] {
  return removed.find((entry) => entry.account === account)?.keys ?? [];
}

/** Adds first halves of removed keys of an account. Forgets those of accounts that are no longer known. */
export function addRemoved(record: IdentityRecord, account: string, halves: readonly string[]): IdentityRecord {
  const known = removedOf(record, account);
  // One more than allowed is kept, so that the account stays refused.
  const keys = [...new Set([...known, ...halves])].slice(0, maxRemoved + 1);
  if (keys.length === known.length) return record;
  const needed = new Set([...accountsOf(record), ...record.ended]);
  const others = record.removed.filter((entry) => entry.account !== account && needed.has(entry.account));
  return { ...record, removed: [...others, { account, keys }] };
}

/** Whether a key of a chain has been removed from its account. */
export function hasRemovedKey(record: IdentityRecord, account: string, chain: readonly Approval[]): boolean {
  const removed = removedOf(record, account);
  return chain.some(({ key }) => removed.includes(toBase64Url(halfOf(key))));
}

/** Whether this device is outside the account that it should belong to. */
export function isUnlinked(record: IdentityRecord): boolean {
  return record.unlinked || hasRemovedKey(record, record.account, ownChain(record).chain);
}

/** Removes the token or the claim for a name. */
export function without(record: IdentityRecord, list: "tokens" | "claims", name: Alias): IdentityRecord {
  if (!record[list].some(({ alias }) => alias === name)) return record;
  return { ...record, [list]: record[list].filter(({ alias }: MadeToken) => alias !== name) };
}
