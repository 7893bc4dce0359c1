import { fromBase64Url, toBase64Url } from "../bytes.ts";
import type { Alias } from "../peer.ts";
import { us } from "../protocol/alias.ts";
import type { OwnIdentity, UserIdentity } from "./options.ts";
import { halfOf } from "./proof.ts";
import { type IdentityRecord, isOnlyDevice, isPending, isUnlinked, removedOf, userOf } from "./record.ts";
import { type SafetyHalves, safetyNumberOf } from "./tokens.ts";

// Converts a record to the objects that apps see.

/** The account that a user shows. */
export function shownAccountOf(record: IdentityRecord, alias: Alias): string | undefined {
  const { certain, seen, changed } = userOf(record, alias);
  return changed ?? certain ?? seen;
}

/** Describes a user. `halves` has the halves of the own account and of the user's. */
export function userIdentityOf(record: IdentityRecord, alias: Alias, halves: SafetyHalves): UserIdentity {
  const account = shownAccountOf(record, alias);
  const safetyNumber =
    account === undefined || alias === us ? undefined : safetyNumberOf(halves, record.account, account);
  return Object.freeze({ status: statusOf(record, alias), account, safetyNumber });
}

/** Returns the own identity. */
export function ownIdentityOf(record: IdentityRecord): OwnIdentity {
  const { account, device, devices } = record;
  const removed = removedOf(record, account);
  return Object.freeze({
    account,
    device: device.publicKey,
    status: isUnlinked(record) ? "unlinked" : isOnlyDevice(record) ? "single" : "linked",
    devices: Object.freeze(
      devices.map((other) =>
        Object.freeze({
          device: other.device,
          since: new Date(other.since),
          removed: removed.includes(toBase64Url(halfOf(fromBase64Url(other.device)!))),
        }),
      ),
    ),
  });
}

function statusOf(record: IdentityRecord, alias: Alias): UserIdentity["status"] {
  const { certain, seen, changed } = userOf(record, alias);
  const isVerified = alias === us ? record.devices.length > 0 && seen === undefined : certain !== undefined;
  if (isVerified && changed === undefined) return "verified";
  if (isPending(record, alias, Date.now())) return "pending";
  if (changed !== undefined || (alias === us && seen !== undefined)) return "changed";
  return seen === undefined ? "unknown" : "seen";
}
