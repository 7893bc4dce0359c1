import { fromBase64Url, toBase64Url } from "../bytes.ts";
import { BonevalueError } from "../errors.ts";
import type { Alias } from "../peer.ts";
import { us } from "../protocol/alias.ts";
import type { StoredKey } from "./algorithms.ts";
import {
  type Approval,
  deviceOf,
  halfOf,
  type Introduction,
  maxChainLength,
  maxListedRemovals,
  mismatch,
  type Proof,
  type ProofBody,
  readChain,
  writeChain,
  writeIntroduction,
} from "./proof.ts";
import { compare, type Purpose } from "./tokens.ts";

// What this account knows of itself and of other users, and what a proof changes about it. The functions are pure: a
// record and an event give the next record, so that a key store can apply them in one step for all tabs.
// docs/protocol.md, "Checks", numbers the checks and the rows a to i.
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

/** What is known of one user. */
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
  /** What the user has signed about this account, for the user's other devices. */
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

/** What was found out about a description before the record is changed: all that takes asynchronous cryptography. */
export interface Evidence {
  /** The name by which discovery calls the sender. */
  readonly alias: Alias;
  /** A proof with a valid signature and chain, if the description has one. */
  readonly proof?: Proof | undefined;
  /** The account that the app's directory names, if it names one. */
  readonly expected?: string | undefined;
  /** The secrets of own tokens that the proof's `claim` answers. */
  readonly answers: ReadonlySet<string>;
  /** The secrets of claimed tokens that were made by the proof's account. */
  readonly makers: ReadonlySet<string>;
  /** Whether the proof's `approval` admits this device to the proof's account. */
  readonly approves: boolean;
  /** Whether the proof's `issued` is about the own account. */
  readonly issues: boolean;
  /** Whether the proof's `presented` was signed by a device of the own account, about this user and account. */
  readonly introduces: boolean;
  /** In ms since 1970. */
  readonly now: number;
}

/** The outcome of a check. */
export interface Verdict {
  readonly record: IdentityRecord;
  /** Whether the peer's account is certain. */
  readonly verified: boolean;
  /** Why the description is refused under every policy. */
  readonly refusal?: BonevalueError | undefined;
}

const maxRemoved = 256;
const maxEnded = 1_024;
const maxFutureMs = 24 * 60 * 60 * 1_000;

/** How long a token and a claim wait for the other side, and how long a linking code does. */
export const tokenAgeMs: number = 7 * 24 * 60 * 60 * 1_000;
/** How long a token that no server knows waits. */
export const clientTokenAgeMs: number = 10 * 60 * 1_000;

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

/** What is known of a user. */
export function userOf(record: IdentityRecord, alias: Alias): KnownUser {
  return record.users.find((user) => user.alias === alias) ?? { alias };
}

/** Whether a token for this name waits for the other side. */
export function isPending(record: IdentityRecord, alias: Alias, now: number): boolean {
  const waits = (token: MadeToken) => token.alias === alias && token.until > now;
  return record.tokens.some(waits) || record.claims.some((claim) => waits(claim) && !claim.answered);
}

/** A token for `Us` links devices, and another one verifies a user. */
export function purposeOf(alias: Alias): Purpose {
  return alias === us ? 1 : 0;
}

/** Whether this is the only device of its account, has approved none, and has verified no user. */
export function isSingle({ account, device, devices, derived, users }: IdentityRecord): boolean {
  const alone = account === device.publicKey && devices.length === 0 && !derived;
  return alone && !users.some(({ certain }) => certain !== undefined);
}

/** The first halves of removed keys of an account. */
export function removedOf(record: IdentityRecord, account: string): readonly string[] {
  return record.removed.find((entry) => entry.account === account)?.keys ?? [];
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

/** Applies a description to the record: the checks 4 to 6 as far as they need the record, and the rows a to i. */
export function judge(record: IdentityRecord, evidence: Evidence): Verdict {
  const { alias, proof, now } = evidence;
  if (!proof) return judgeWithoutProof(record, evidence);
  const account = toBase64Url(proof.account);
  const known = isKnownAccount(record, account) ? mergeRemoved(record, account, proof) : record;
  if (removedOf(known, account).length > maxRemoved) {
    return refuse(known, "The peer's account has removed too many devices. Ask its user to reset the identity.");
  }
  if (hasRemovedKey(known, account, proof.chain))
    return refuse(known, "The peer's device has been removed from its account.");
  if (known.users.some((user) => user.certain === account && user.alias !== alias)) {
    return refuse(known, `Another user's account answered as "${alias}".`);
  }
  if (account === known.account && alias !== us) return refuse(known, `This account itself answered as "${alias}".`);

  const to = proof.to && toBase64Url(proof.to);
  if (to !== undefined && to !== known.account && !known.formerAccounts.includes(to)) {
    return { record: { ...known, unlinked: true }, verified: false };
  }
  const verdict = rowsBtoI(known, evidence, proof, account);
  if (verdict.refusal) return verdict;
  const answered = to === known.account ? withoutClaim(verdict.record, alias) : verdict.record;
  return { ...verdict, record: keepIntroduction(answered, evidence, proof, account, now) };
}

function judgeWithoutProof(record: IdentityRecord, { alias, expected, now }: Evidence): Verdict {
  const { certain, seen } = userOf(record, alias);
  const isKnown = certain ?? seen ?? expected ?? (alias === us ? record.devices[0] : undefined);
  if (isKnown === undefined && !isPending(record, alias, now)) return { record, verified: false };
  return refuse(record, `"${alias}" gave no proof of identity, although a key is known: update the app there.`);
}

function rowsBtoI(record: IdentityRecord, evidence: Evidence, proof: Proof, account: string): Verdict {
  const { alias, expected, answers, makers, now } = evidence;
  const user = userOf(record, alias);
  const device = toBase64Url(deviceOf(proof));
  const made = record.tokens.find(
    ({ alias: name, until, secret, claimedBy = device }) =>
      name === alias && until > now && answers.has(secret) && claimedBy === device,
  );

  const claimed = record.claims.find((claim) => claim.alias === alias && claim.until > now && makers.has(claim.secret));
  const isCertain = alias === us ? account === record.account : account === user.certain;

  if (expected !== undefined) {
    if (expected === account) return verified(record, evidence, account);
    return { record: remember(record, alias, account), verified: false };
  }
  if (isCertain) {
    const used = made ? withoutToken(record, alias) : record;
    if (alias === us) return { record: addDevice(withoutClaim(used, us), device, now), verified: true };
    return {
      record: certify(claimed ? answer(used, claimed) : used, alias, account, user.since ?? now),
      verified: true,
    };
  }
  if (made || claimed) {
    if (alias === us) return link(record, evidence, proof, made, claimed !== undefined);
    const used = made ? withoutToken(record, alias) : record;
    return verified(claimed ? answer(used, claimed) : used, evidence, account);
  }
  if (alias === us && proof.claim) {
    return refuse(record, "The linking code was made by another device, or it was used already: ask for a new one.");
  }
  if (user.certain !== undefined && device === user.certain) {
    return { record: certify(record, alias, account, user.since ?? now), verified: true };
  }
  if (isIntroduced(record, evidence, proof, account, user)) {
    return { record: certify(record, alias, account, proof.presented!.time), verified: true };
  }
  if (isPending(record, alias, now) && user.certain === undefined) {
    return refuse(
      record,
      `"${alias}" did not answer the token. Only the user who has it is accepted until it expires.`,
    );
  }
  return { record: remember(record, alias, account), verified: false };
}

/** Row g. */
function isIntroduced(
  record: IdentityRecord,
  { introduces, now }: Evidence,
  { presented }: Proof,
  account: string,
  user: KnownUser,
): boolean {
  if (!introduces || !presented || record.ended.includes(account)) return false;
  if (hasRemovedKey(record, record.account, presented.chain)) return false;
  return presented.time > (user.since ?? Number.NEGATIVE_INFINITY) && presented.time <= now + maxFutureMs;
}

/** A token, or the app's directory, has verified the account. */
function verified(record: IdentityRecord, { alias, now }: Evidence, account: string): Verdict {
  const next = { ...record, ended: record.ended.filter((ended) => ended !== account) };
  const { certain, since = now } = userOf(record, alias);
  return { record: certify(next, alias, account, certain === account ? since : now), verified: true };
}

/** Marks an account as certain for a name. Ends a change that was reported for it. */
export function certify(record: IdentityRecord, alias: Alias, account: string, since: number): IdentityRecord {
  const user = userOf(record, alias);
  if (user.certain === account && user.since === since && user.changed === undefined) return record;
  return setUser(record, { alias, certain: account, since, introduction: user.introduction });
}

/** Row i. */
function remember(record: IdentityRecord, alias: Alias, account: string): IdentityRecord {
  const user = userOf(record, alias);
  const known = user.certain ?? user.seen;
  if (known === undefined) return setUser(record, { ...user, seen: account });
  const changed = known === account ? undefined : account;
  return user.changed === changed ? record : setUser(record, { ...user, changed });
}

function setUser(record: IdentityRecord, user: KnownUser): IdentityRecord {
  return { ...record, users: [...record.users.filter(({ alias }) => alias !== user.alias), user] };
}

/** Deletes what is known of a user, and remembers that this user has ended the trust. */
export function endTrust(record: IdentityRecord, alias: Alias): IdentityRecord {
  const { certain } = userOf(record, alias);
  const ended = certain === undefined ? record.ended : [...record.ended.filter((key) => key !== certain), certain];
  const without = withoutToken(withoutClaim(record, alias), alias);
  const users = record.users.filter((user) => user.alias !== alias);
  return { ...without, users, ended: ended.slice(-maxEnded) };
}

/** Accepts the account that a user shows. Throws `identity-mismatch` if it is another one, or another user's. */
export function accept(record: IdentityRecord, alias: Alias, account: string, now: number): IdentityRecord {
  const { certain, seen, changed } = userOf(record, alias);
  if (alias === us || (changed ?? certain ?? seen) !== account) {
    throw new BonevalueError(
      "identity-mismatch",
      `"${alias}" shows another account now: compare the safety number again.`,
    );
  }
  if (record.users.some((user) => user.certain === account && user.alias !== alias)) {
    throw new BonevalueError(
      "identity-mismatch",
      `The account is verified under another name: "${alias}" cannot have it, too.`,
    );
  }
  const next = { ...record, ended: record.ended.filter((ended) => ended !== account) };
  return certify(withoutClaim(withoutToken(next, alias), alias), alias, account, now);
}

/** Adds a token that this account has made. It replaces the one for the same name. */
export function addToken(record: IdentityRecord, token: MadeToken): IdentityRecord {
  return { ...record, tokens: [...withoutToken(record, token.alias).tokens, token] };
}

/** Adds a token that this account claims. It replaces the one for the same name. */
export function addClaim(record: IdentityRecord, claim: ClaimedToken): IdentityRecord {
  return { ...record, claims: [...withoutClaim(record, claim.alias).claims, claim] };
}

/** Removes the token for a name. */
export function withoutToken(record: IdentityRecord, name: Alias): IdentityRecord {
  return without(record, "tokens", name);
}

/** Removes the claim for a name. */
export function withoutClaim(record: IdentityRecord, name: Alias): IdentityRecord {
  return without(record, "claims", name);
}

function without(record: IdentityRecord, list: "tokens" | "claims", name: Alias): IdentityRecord {
  if (!record[list].some(({ alias }) => alias === name)) return record;
  return { ...record, [list]: record[list].filter(({ alias }: MadeToken) => alias !== name) };
}

function answer(record: IdentityRecord, claim: ClaimedToken): IdentityRecord {
  if (claim.answered) return record;
  return { ...record, claims: record.claims.map((other) => (other === claim ? { ...claim, answered: true } : other)) };
}

/** Rows d and e for `Us`: one of the two devices joins the other's account. */
function link(
  record: IdentityRecord,
  { approves, now }: Evidence,
  proof: Proof,
  made: MadeToken | undefined,
  claimed: boolean,
): Verdict {
  const device = toBase64Url(deviceOf(proof));
  const account = toBase64Url(proof.account);
  const users = record.users.filter(({ alias }) => alias !== us);
  if (!joins(record, proof, made !== undefined, claimed)) {
    const joining = [...record.joining.filter((other) => other !== device), device];
    return { record: { ...addDevice(withoutToken(record, us), device, now, true), users, joining }, verified: true };
  }
  if (record.devices.some(({ approved }) => approved)) {
    return refuse(
      record,
      "This device has approved others, so it cannot join another account: let the other device join.",
    );
  }
  if (!approves) return { record: made ? claimBy(record, made, device) : record, verified: true };

  if (proof.chain.length >= maxChainLength)
    return refuse(record, "The device that made the code cannot approve others.");
  const chain = [...proof.chain, { key: fromBase64Url(record.device.publicKey)!, signature: proof.approval! }];
  const joined: IdentityRecord = {
    ...withoutClaim(withoutToken(record, us), us),
    users,
    account,
    chain: toBase64Url(writeChain(chain)),
    formerAccounts: [...record.formerAccounts, record.account],
    unlinked: false,
    devices: [],
    joining: [],
  };
  return { record: addDevice(mergeRemoved(joined, account, proof), device, now), verified: true };
}

/** The device that has answered a code approves this one when it dials again. No other device can. */
function claimBy(record: IdentityRecord, made: MadeToken, device: string): IdentityRecord {
  if (made.claimedBy === device) return record;
  return { ...record, tokens: record.tokens.map((token) => (token === made ? { ...made, claimedBy: device } : token)) };
}

function joins(record: IdentityRecord, proof: Proof, made: boolean, claimed: boolean): boolean {
  const single = isSingle(record);
  if (made && claimed) {
    if (single !== proof.single) return single;
    return compare(fromBase64Url(record.account)!, proof.account) < 0;
  }
  // The claimer joins, unless only the maker is single.
  return claimed ? !(proof.single && !single) : single && !proof.single;
}

function addDevice(record: IdentityRecord, device: string, now: number, approved = false): IdentityRecord {
  const known = record.devices.find((other) => other.device === device);
  const isJoining = record.joining.includes(device) && !approved;
  const wasSeen = userOf(record, us).seen === device;
  const isListed = device === record.device.publicKey || (known && (known.approved || !approved));
  if (isListed && !isJoining && !wasSeen) return record;
  const added = { device, since: known?.since ?? now, approved };
  return {
    ...record,
    users: wasSeen ? record.users.filter(({ alias }) => alias !== us) : record.users,
    joining: isJoining ? record.joining.filter((other) => other !== device) : record.joining,
    devices: isListed ? record.devices : [...record.devices.filter((other) => other !== known), added],
  };
}

/** Removes a device of the own account for good. */
export function removeDevice(record: IdentityRecord, device: string): IdentityRecord {
  const key = fromBase64Url(device);
  if (key?.length !== 32) throw new BonevalueError("invalid-request", "Pass a device as `identity` lists it.");
  const own = [record.account, ...ownChain(record).chain.map((approval) => toBase64Url(approval.key))];
  if (own.includes(device)) {
    throw new BonevalueError(
      "unsupported",
      "A device cannot remove itself, the first device of its account, or a device that approved it. Use resetIdentity().",
    );
  }
  const half = toBase64Url(halfOf(key));
  const removed = removedOf(record, record.account);
  if (removed.includes(half)) return record;
  if (removed.length >= maxListedRemovals) {
    throw new BonevalueError(
      "too-large",
      "An account can remove 32 devices: call resetIdentity() to start a new account.",
    );
  }
  return setRemoved(record, record.account, [...removed, half]);
}

function isKnownAccount(record: IdentityRecord, account: string): boolean {
  if (account === record.account) return true;
  return record.users.some(({ certain, seen, changed }) => [certain, seen, changed].includes(account));
}

function mergeRemoved(record: IdentityRecord, account: string, { removed }: Proof): IdentityRecord {
  const known = removedOf(record, account);
  const added = removed.map(toBase64Url).filter((key) => !known.includes(key));
  // One more than allowed is kept, so that the account stays refused.
  return added.length === 0 ? record : setRemoved(record, account, [...known, ...added].slice(0, maxRemoved + 1));
}

function setRemoved(record: IdentityRecord, account: string, keys: readonly string[]): IdentityRecord {
  return { ...record, removed: [...record.removed.filter((entry) => entry.account !== account), { account, keys }] };
}

/** Keeps what the user has signed about this account, if it is newer than what is kept. */
function keepIntroduction(
  record: IdentityRecord,
  { alias, issues }: Evidence,
  proof: Proof,
  account: string,
  now: number,
): IdentityRecord {
  const { issued, chain } = proof;
  const user = userOf(record, alias);
  if (!issues || !issued || issued.time > now + maxFutureMs || (user.certain ?? user.seen) !== account) return record;
  const { introduction: kept } = user;
  const isNewer = !kept || kept.by !== account || kept.about !== record.account || issued.time > kept.time;
  if (!isNewer && !hasRemovedKey(record, account, readChain(fromBase64Url(kept.chain)!))) return record;
  return setUser(record, { ...user, introduction: toKept(issued, { by: account, about: record.account, chain }) });
}

function toKept(
  issued: Introduction,
  { by, about, chain }: { by: string; about: string; chain: readonly Approval[] },
): KeptIntroduction {
  return {
    by,
    about,
    time: issued.time,
    chain: toBase64Url(writeChain(chain)),
    introduction: toBase64Url(writeIntroduction(issued)),
  };
}

function refuse(record: IdentityRecord, message: string): Verdict {
  return { record, verified: false, refusal: mismatch(message) };
}
