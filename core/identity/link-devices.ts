import { fromBase64Url, toBase64Url } from "../bytes.ts";
import { us } from "../protocol/alias.ts";
import { deviceOf, maxChainLength, type Proof, writeChain } from "./proof.ts";
import { addRemoved, type IdentityRecord, isSingle, type MadeToken, userOf, without } from "./record.ts";
import { compare } from "./tokens.ts";
import { type Evidence, refuse, type Verdict } from "./verdict.ts";

// How two devices of a user become one account. docs/protocol.md, "Linking devices".

/** Rows d and e for `Us`: one of the two devices joins the other's account. */
export function link(
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
    const next = addDevice(without(record, "tokens", us), device, now, true);
    return { record: { ...next, users, joining, unlinked: false }, verified: true };
  }
  if (record.devices.some(({ approved }) => approved)) {
    return refuse(record, "This device has approved others, so it cannot join: let the other device join.");
  }
  if (!approves) return { record: made ? claimBy(record, made, device) : record, verified: true };
  if (proof.chain.length >= maxChainLength) return refuse(record, "That device cannot approve others.");
  const chain = [...proof.chain, { key: fromBase64Url(record.device.publicKey)!, signature: proof.approval! }];
  const joined: IdentityRecord = {
    ...without(without(record, "tokens", us), "claims", us),
    users,
    account,
    chain: toBase64Url(writeChain(chain)),
    formerAccounts: [...record.formerAccounts, record.account],
    unlinked: false,
    devices: [],
    joining: [],
  };
  const removed = proof.removed.map(toBase64Url);
  return { record: addDevice(addRemoved(joined, account, removed), device, now), verified: true };
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

/** Adds a device that was met, or that this device has approved. */
export function addDevice(record: IdentityRecord, device: string, now: number, approved = false): IdentityRecord {
  const known = record.devices.find((other) => other.device === device);
  const isJoining = record.joining.includes(device);
  const wasSeen = userOf(record, us).seen === device;
  const isListed = device === record.device.publicKey || (known && (known.approved || !approved));
  if (isListed && !isJoining) return record;
  const added = { device, since: known?.since ?? now, approved };
  return {
    ...record,
    users: wasSeen ? record.users.filter(({ alias }) => alias !== us) : record.users,
    joining: record.joining.filter((other) => other !== device),
    devices: isListed ? record.devices : [...record.devices.filter((other) => other !== known), added],
  };
}
