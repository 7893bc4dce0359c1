import { fromBase64Url, toBase64Url } from "../bytes.ts";
import type { Alias } from "../peer.ts";
import { us } from "../protocol/alias.ts";
import { addDevice, link } from "./link-devices.ts";
import { deviceOf, type Proof, readChain, writeChain, writeIntroduction } from "./proof.ts";
import {
  addRemoved,
  type ClaimedToken,
  certify,
  hasRemovedKey,
  type IdentityRecord,
  isAnotherUsers,
  isForAnother,
  isPending,
  type KnownUser,
  maxRemoved,
  removedOf,
  setUser,
  trustAgain,
  userOf,
  without,
} from "./record.ts";
import { type Evidence, refuse, type Verdict } from "./verdict.ts";

// What a description of a peer changes about the record. docs/protocol.md, "Checks", numbers the checks and the rows a to i.

const maxFutureMs = 24 * 60 * 60 * 1_000;

/** Applies a description to the record: the checks 4 to 6 as far as they need the record, and the rows a to i. */
export function judge(record: IdentityRecord, evidence: Evidence): Verdict {
  const { alias, proof } = evidence;
  if (!proof) return judgeWithoutProof(record, evidence);
  const account = toBase64Url(proof.account);
  if (hasRemovedKey(record, account, proof.chain))
    return refuse(record, "The peer's device has been removed from its account.");
  const known = addRemoved(record, account, proof.removed.map(toBase64Url));
  if (removedOf(known, account).length > maxRemoved) {
    return refuse(known, "The peer's account has removed too many devices. Ask its user to reset the identity.");
  }
  if (isAnotherUsers(known, alias, account) || (account === known.account && alias !== us)) {
    return refuse(known, `"${alias}" answered with the account of another user, or with this one.`);
  }

  if (isForAnother(known, proof)) {
    return { record: known.unlinked ? known : { ...known, unlinked: true }, verified: false };
  }
  const verdict = rowsBtoI(known, evidence, proof, account);
  if (verdict.refusal) return verdict;
  const isForThis = proof.to && toBase64Url(proof.to) === known.account;
  const answered = isForThis ? without(verdict.record, "claims", alias) : verdict.record;
  return { ...verdict, record: keepIntroduction(answered, evidence, proof, account) };
}

function judgeWithoutProof(record: IdentityRecord, { alias, expected, now }: Evidence): Verdict {
  const { certain, seen } = userOf(record, alias);
  const isKnown = certain ?? seen ?? expected ?? (alias === us ? record.devices[0] : undefined);
  if (isKnown === undefined && !isPending(record, alias, now)) return { record, verified: false };
  return refuse(record, `"${alias}" gave no proof of identity, although a key is known: update the app there.`);
}

function rowsBtoI(record: IdentityRecord, evidence: Evidence, proof: Proof, account: string): Verdict {
  const { alias, expected, answers, makerOf, now } = evidence;
  const user = userOf(record, alias);
  const device = toBase64Url(deviceOf(proof));
  const isWaiting = (token: { alias: Alias; until: number }) => token.alias === alias && token.until > now;
  const made = record.tokens.find(
    (token) => isWaiting(token) && token.secret === answers && (token.claimedBy ?? device) === device,
  );
  const claimed = record.claims.find((claim) => isWaiting(claim) && claim.secret === makerOf);
  const used = made ? without(record, "tokens", alias) : record;
  const certain = (next: IdentityRecord, since: number): Verdict => ({
    record: certify(next, alias, account, since),
    verified: true,
  });

  if (expected !== undefined && expected !== account) {
    return { record: remember(record, user, account), verified: false };
  }
  if (alias === us) {
    if (account === record.account) {
      return { record: addDevice(without(used, "claims", us), device, now), verified: true };
    }
    if (made || claimed) return link(record, evidence, proof, made, claimed !== undefined);
    if (proof.claim)
      return refuse(record, "The linking code was made by another device, or it was used already: ask for a new one.");
  } else {
    const isCertain = account === user.certain;
    const next = markAnswered(used, claimed);
    if (expected !== undefined || made || claimed) {
      return certain(trustAgain(next, account), isCertain ? user.since! : now);
    }
    if (isCertain || device === user.certain) return certain(record, user.since!);
    if (isIntroduced(record, evidence, proof, account, user)) return certain(record, proof.presented!.time);
  }
  if (isPending(record, alias, now) && user.certain === undefined) {
    return refuse(
      record,
      `"${alias}" did not answer the token. Only the user who has it is accepted until it expires.`,
    );
  }
  return { record: remember(record, user, account), verified: false };
}

/** Row g. */
function isIntroduced(
  record: IdentityRecord,
  { introduces, now }: Evidence,
  { presented }: Proof,
  account: string,
  { since = Number.NEGATIVE_INFINITY }: KnownUser,
): boolean {
  if (!introduces || record.ended.includes(account)) return false;
  const { chain, time } = presented!;
  return !hasRemovedKey(record, record.account, chain) && time > since && time <= now + maxFutureMs;
}

/** Row i. */
function remember(record: IdentityRecord, user: KnownUser, account: string): IdentityRecord {
  const known = user.certain ?? user.seen;
  if (known === undefined) return setUser(record, { ...user, seen: account });
  const changed = known === account ? undefined : account;
  return user.changed === changed ? record : setUser(record, { ...user, changed });
}

/** Keeps what the user has signed about this account, if it is newer than the kept statement. */
function keepIntroduction(
  record: IdentityRecord,
  { alias, issues, now }: Evidence,
  { issued, chain }: Proof,
  by: string,
): IdentityRecord {
  const user = userOf(record, alias);
  if (!issues || issued!.time > now + maxFutureMs || (user.certain ?? user.seen) !== by) return record;
  const { introduction: kept } = user;
  const about = record.account;
  const isNewer = !kept || kept.by !== by || kept.about !== about || issued!.time > kept.time;
  if (!isNewer && !hasRemovedKey(record, by, readChain(fromBase64Url(kept.chain)!))) return record;
  const [bytes, chainBytes] = [writeIntroduction(issued!), writeChain(chain)].map(toBase64Url) as [string, string];
  return setUser(record, {
    ...user,
    introduction: { by, about, time: issued!.time, chain: chainBytes, introduction: bytes },
  });
}

function markAnswered(record: IdentityRecord, claim: ClaimedToken | undefined): IdentityRecord {
  if (!claim || claim.answered) return record;
  return { ...record, claims: record.claims.map((other) => (other === claim ? { ...claim, answered: true } : other)) };
}
