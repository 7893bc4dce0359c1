import { type Bytes, concat, fromBase64Url, toBase64Url } from "../bytes.ts";
import { BonevalueError } from "../errors.ts";
import type { Alias } from "../peer.ts";
import { us } from "../protocol/alias.ts";
import { type Algorithms, randomBytes } from "./algorithms.ts";
import { shownAccountOf } from "./describe-identity.ts";
import { halfOf, maxListedRemovals, mismatch } from "./proof.ts";
import {
  addRemoved,
  type ClaimedToken,
  certify,
  type IdentityRecord,
  isAnotherUsers,
  type MadeToken,
  ownChain,
  removedOf,
  trustAgain,
  userOf,
  without,
} from "./record.ts";
import { bindingOf, bindingSize, type Purpose, type TokenPart } from "./tokens.ts";

// What the user of this device changes about the record, and the tokens that are passed on.

const maxEnded = 1_024;
const secretSize = 16;

/** How long a token and a claim wait for the other side, in ms. */
export const tokenAgeMs: number = 7 * 24 * 60 * 60 * 1_000;
/** How long a token that no server knows waits, in ms. */
export const clientTokenAgeMs: number = 10 * 60 * 1_000;

/** Makes the clients' part of a token, as text. */
export async function createTokenPart(
  algorithms: Algorithms,
  purpose: Purpose,
  account: Bytes,
  secret: Bytes = randomBytes(secretSize),
): Promise<{ readonly secret: Bytes; readonly text: string }> {
  const binding = await bindingOf(algorithms, secret, purpose, account);
  return { secret, text: toBase64Url(concat(secret, binding)) };
}

/** Reads the part of a token after its first dot, if it has one. Throws `token-invalid` if the part is malformed. */
export function readTokenPart(token: string): TokenPart | undefined {
  const dot = token.indexOf(".");
  if (dot < 0) return undefined;
  const bytes = fromBase64Url(token.slice(dot + 1));
  if (bytes?.length !== secretSize + bindingSize) {
    throw new BonevalueError("token-invalid", "The token is incomplete: copy all of it, or ask for a new one.");
  }
  return { secret: bytes.slice(0, secretSize), binding: bytes.slice(secretSize) };
}

/**
 * Accepts the account that a user shows. Throws `identity-mismatch` if the user shows a different account by now, or if the
 * account is verified under another name.
 */
export function accept(record: IdentityRecord, alias: Alias, account: string, now: number): IdentityRecord {
  if (alias === us || shownAccountOf(record, alias) !== account)
    throw mismatch(`"${alias}" shows another account now: compare the safety number again.`);
  if (isAnotherUsers(record, alias, account))
    throw mismatch(`The account is verified under another name: "${alias}" cannot have it, too.`);
  return certify(withoutTokens(trustAgain(record, account), alias), alias, account, now);
}

/** Deletes the stored data of a user, and remembers that this user has ended the trust. */
export function endTrust(record: IdentityRecord, alias: Alias): IdentityRecord {
  const { certain } = userOf(record, alias);
  const others = record.ended.filter((account) => account !== certain);
  const ended = certain === undefined ? others : [...others, certain].slice(-maxEnded);
  return { ...withoutTokens(record, alias), ended, users: record.users.filter((user) => user.alias !== alias) };
}

/** Adds a token that this account has made. It replaces the one for the same name. */
export function addToken(record: IdentityRecord, token: MadeToken): IdentityRecord {
  return { ...record, tokens: [...without(record, "tokens", token.alias).tokens, token] };
}

/** Adds a token that this account claims. It replaces the one for the same name. */
export function addClaim(record: IdentityRecord, claim: ClaimedToken): IdentityRecord {
  return { ...record, claims: [...without(record, "claims", claim.alias).claims, claim] };
}

/** The claim of a token that was just entered. */
export function claimFor(alias: Alias, { secret, binding }: TokenPart, answered: boolean, now: number): ClaimedToken {
  const until = now + tokenAgeMs;
  return { alias, secret: toBase64Url(secret), binding: toBase64Url(binding), until, answered };
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
  if (!removed.includes(half) && removed.length >= maxListedRemovals) {
    throw new BonevalueError(
      "too-large",
      "An account can remove 32 devices: call resetIdentity() to start a new account.",
    );
  }
  return addRemoved(record, record.account, [half]);
}

function withoutTokens(record: IdentityRecord, alias: Alias): IdentityRecord {
  return without(without(record, "tokens", alias), "claims", alias);
}
