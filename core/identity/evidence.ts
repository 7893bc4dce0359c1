import { type Bytes, fromBase64Url, isEqual, toBase64Url } from "../bytes.ts";
import { BonevalueError } from "../errors.ts";
import type { Alias } from "../peer.ts";
import { us } from "../protocol/alias.ts";
import type { Algorithms } from "./algorithms.ts";
import {
  type Evidence,
  type IdentityRecord,
  isPending,
  isSingle,
  ownChain,
  purposeOf,
  removedOf,
  userOf,
} from "./contacts.ts";
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
import { claimOf, isMadeBy } from "./tokens.ts";

// What of a record goes into a proof, and what a proof of a peer shows. The cryptography between records and proofs is
// here, so that contacts.ts is pure.

/** The app's directory: returns a user's account. */
export type AccountOf = (alias: Alias) => string | undefined | Promise<string | undefined>;

/** What this device tells the peer that it calls `alias`. `peerDevice` is the peer's device key, if it is known. */
export async function bodyFor(
  algorithms: Algorithms,
  { record, key }: DeviceState,
  alias: Alias,
  peerDevice: Bytes | undefined,
): Promise<ProofBody> {
  const now = Date.now();
  const { account, chain } = ownChain(record);
  const { certain, since = 0, introduction } = userOf(record, alias);
  const to = certain !== undefined && !isPending(record, alias, now) ? fromBase64Url(certain) : undefined;
  const claimed = record.claims.find((claim) => claim.alias === alias && claim.until > now);
  const joins = alias === us && peerDevice && record.joining.includes(toBase64Url(peerDevice));
  const device = key.publicKey;
  return {
    account,
    chain,
    to,
    single: isSingle(record),
    claim:
      claimed && (await claimOf(algorithms, fromBase64Url(claimed.secret)!, purposeOf(alias), { account, device })),
    approval: joins && chain.length < maxChainLength ? await approve(key, account, peerDevice) : undefined,
    issued:
      to &&
      (await introduce(key, { account, other: to, name: await hashAlias(algorithms, account, alias), time: since })),
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
  const now = Date.now();
  const expected = alias === us ? undefined : await askDirectory(accountOf, alias);
  const nothing = {
    answers: new Set<string>(),
    makers: new Set<string>(),
    approves: false,
    issues: false,
    introduces: false,
  };
  if (!proof) return { alias, expected, now, ...nothing };
  const { account, claim, approval, issued } = proof;
  const device = deviceOf(proof);
  const purpose = purposeOf(alias);
  const own = fromBase64Url(record.account)!;

  const { answers, makers } = nothing;
  for (const token of record.tokens) {
    if (token.alias !== alias || !claim) continue;
    const expectedClaim = await claimOf(algorithms, fromBase64Url(token.secret)!, purpose, { account, device });
    if (isEqual(claim, expectedClaim)) answers.add(token.secret);
  }
  for (const { alias: claimed, secret, binding } of record.claims) {
    if (claimed !== alias) continue;
    const part = { secret: fromBase64Url(secret)!, binding: fromBase64Url(binding)! };
    if (await isMadeBy(algorithms, part, purpose, account)) makers.add(secret);
  }
  return {
    alias,
    proof,
    expected,
    answers,
    makers,
    now,
    approves: approval !== undefined && (await approves(algorithms, record, account, device, approval)),
    issues: issued !== undefined && (await isIntroduced(algorithms, device, account, own, issued)),
    introduces: await introduces(algorithms, own, alias, proof),
  };
}

function approves(
  algorithms: Algorithms,
  record: IdentityRecord,
  account: Bytes,
  signer: Bytes,
  approval: Bytes,
): Promise<boolean> {
  return isApproved(algorithms, signer, account, fromBase64Url(record.device.publicKey)!, approval);
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
    (await isChainSigned(algorithms, own, presented.chain)) &&
    (await isIntroduced(algorithms, signer, own, account, presented))
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
