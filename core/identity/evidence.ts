import { type Bytes, fromBase64Url, isEqual, toBase64Url } from "../bytes.ts";
import { BonevalueError } from "../errors.ts";
import type { Alias } from "../peer.ts";
import { us } from "../protocol/alias.ts";
import type { Algorithms } from "./algorithms.ts";
import type { DeviceState } from "./device.ts";
import {
  approve,
  deviceOf,
  hashAlias,
  introduce,
  isApproved,
  isChainSigned,
  isIntroduced,
  maxChainLength,
  maxListedRemovals,
  type Proof,
  type ProofBody,
  readChain,
  readIntroduction,
} from "./proof.ts";
import {
  type IdentityRecord,
  isPending,
  isSingle,
  type MadeToken,
  ownChain,
  purposeOf,
  removedOf,
  userOf,
} from "./record.ts";
import { claimOf, isMadeBy } from "./tokens.ts";
import type { Evidence } from "./verdict.ts";

// What of a record goes into a proof, and what a proof of a peer shows. The cryptography between records and proofs is
// here, so that all that changes a record is pure.

/** The app's directory: returns a user's account. */
export type AccountOf = (alias: Alias) => string | undefined | Promise<string | undefined>;

/** Returns the content of a proof for the peer that this user calls `alias`. `peerDevice` is the peer's device key, if it is known. */
export async function bodyFor(
  algorithms: Algorithms,
  { record, key }: DeviceState,
  alias: Alias,
  peerDevice: Bytes | undefined,
): Promise<ProofBody> {
  const now = Date.now();
  const { account, chain } = ownChain(record);
  const { certain, since, introduction } = userOf(record, alias);
  const to = certain !== undefined && !isPending(record, alias, now) ? fromBase64Url(certain) : undefined;
  const claimed = record.claims.find((claim) => claim.alias === alias && claim.until > now);
  const joins = alias === us && peerDevice && record.joining.includes(toBase64Url(peerDevice));
  const device = key.publicKey;
  const [claim, approval, issued] = await Promise.all([
    claimed && claimOf(algorithms, fromBase64Url(claimed.secret)!, purposeOf(alias), { account, device }),
    joins && chain.length < maxChainLength ? approve(key, account, peerDevice) : undefined,
    to &&
      hashAlias(algorithms, account, alias).then((name) => introduce(key, { account, other: to, name, time: since! })),
  ]);
  return {
    account,
    chain,
    to,
    single: isSingle(record),
    claim,
    approval,
    issued,
    presented:
      introduction && introduction.about === record.account
        ? {
            chain: readChain(fromBase64Url(introduction.chain)!),
            ...readIntroduction(fromBase64Url(introduction.introduction)!),
          }
        : undefined,
    removed: removedOf(record, record.account)
      .slice(-maxListedRemovals)
      .map((half) => fromBase64Url(half)!),
  };
}

/** Finds out what a valid proof of the peer that discovery calls `alias` shows. Makes at most 19 signature checks. */
export async function evidenceOf(
  algorithms: Algorithms,
  record: IdentityRecord,
  alias: Alias,
  proof: Proof | undefined,
  accountOf: AccountOf | undefined,
): Promise<Evidence> {
  const expected = alias === us ? undefined : await askDirectory(accountOf, alias);
  const known = { alias, proof, expected, now: Date.now() };
  if (!proof) return known;
  const { account, claim, approval, issued } = proof;
  const device = deviceOf(proof);
  const purpose = purposeOf(alias);
  const own = fromBase64Url(record.account)!;
  const isOfPeer = (token: MadeToken) => token.alias === alias;

  const made = claim && record.tokens.find(isOfPeer);
  const claimed = record.claims.find(isOfPeer);
  const part = claimed && { secret: fromBase64Url(claimed.secret)!, binding: fromBase64Url(claimed.binding)! };
  const ownDevice = fromBase64Url(record.device.publicKey)!;
  const [answer, isMaker, approves, issues, presents] = await Promise.all([
    made && claimOf(algorithms, fromBase64Url(made.secret)!, purpose, { account, device }),
    part && isMadeBy(algorithms, part, purpose, account),
    approval && isApproved(algorithms, device, account, ownDevice, approval),
    issued && isIntroduced(algorithms, device, account, own, issued),
    introduces(algorithms, own, alias, proof),
  ]);
  return {
    ...known,
    answers: answer && isEqual(claim!, answer) ? made!.secret : undefined,
    makerOf: isMaker ? claimed!.secret : undefined,
    approves,
    issues,
    introduces: presents,
  };
}

async function introduces(
  algorithms: Algorithms,
  own: Bytes,
  alias: Alias,
  { account, presented }: Proof,
): Promise<boolean> {
  if (!presented || !isEqual(presented.name, await hashAlias(algorithms, own, alias))) return false;
  const signer = deviceOf({ account: own, chain: presented.chain });
  return (
    (await isChainSigned(algorithms, own, presented.chain)) && isIntroduced(algorithms, signer, own, account, presented)
  );
}

async function askDirectory(accountOf: AccountOf | undefined, alias: Alias): Promise<string | undefined> {
  try {
    return await accountOf?.(alias);
  } catch (cause) {
    const message = `\`accountOf\` failed for "${alias}", so the peer was refused. Call again later.`;
    throw new BonevalueError("identity-mismatch", message, { cause });
  }
}
