import { expect, test } from "vitest";
import { toBase64Url } from "../bytes.ts";
import { ownIdentityOf, userIdentityOf } from "./describe-identity.ts";
import type { IdentityRecord, KnownUser } from "./record.ts";
import { bob, bobsPhone, eve, half, idOf, keyOf, own, recordOf, toChain } from "./testing/records.ts";

const since = 1;
const phone = { device: idOf(11), since, approved: true };
const pending = { alias: "Bob", secret: "s", until: Number.POSITIVE_INFINITY };

/** The digits of each account are its id. */
const halves = new Map([own, bob, eve, 9].map((byte) => [idOf(byte), { key: keyOf(byte), digits: idOf(byte) }]));
const describeUser = (record: IdentityRecord, alias = "Bob") => userIdentityOf(record, alias, halves);

const knowing = (user: Partial<KnownUser>, record = recordOf()): IdentityRecord => ({
  ...record,
  users: [{ alias: "Bob", ...user }],
});

test.for<[string, IdentityRecord, object]>([
  ["unknown", recordOf(), {}],
  ["seen", knowing({ seen: idOf(bob) }), { account: idOf(bob) }],
  ["verified", knowing({ certain: idOf(bob), since }), { account: idOf(bob) }],
  ["changed", knowing({ seen: idOf(bob), changed: idOf(eve) }), { account: idOf(eve) }],
  ["changed", knowing({ certain: idOf(bob), changed: idOf(eve) }), { account: idOf(eve) }],
  ["pending", { ...recordOf(), tokens: [pending] }, {}],
  ["pending", { ...knowing({ seen: idOf(bob) }), tokens: [pending] }, { account: idOf(bob) }],
  ["pending", { ...knowing({ certain: idOf(bob), changed: idOf(eve) }), tokens: [pending] }, { account: idOf(eve) }],
  ["verified", { ...knowing({ certain: idOf(bob) }), tokens: [pending] }, { account: idOf(bob) }],
  ["seen", { ...knowing({ seen: idOf(bob) }), tokens: [{ ...pending, until: 0 }] }, { account: idOf(bob) }],
])("a user is %s", ([status, record, expected]) => {
  const identity = describeUser(record);
  expect(identity).toEqual({ status, safetyNumber: undefined, account: undefined, ...expected, ...numberOf(expected) });
  expect(Object.isFrozen(identity)).toBe(true);
});

function numberOf({ account }: { account?: string }) {
  return account === undefined ? {} : { safetyNumber: `${idOf(own)} ${account}` };
}

test.for<[string, IdentityRecord]>([
  ["unknown", recordOf()],
  ["verified", { ...recordOf(), devices: [phone] }],
  ["changed", { ...recordOf(), users: [{ alias: "Us", seen: idOf(eve) }] }],
  ["changed", { ...recordOf(), devices: [phone], users: [{ alias: "Us", seen: idOf(eve) }] }],
  ["changed", { ...recordOf(), devices: [phone], users: [{ alias: "Us", changed: idOf(eve) }] }],
  ["pending", { ...recordOf(), tokens: [{ ...pending, alias: "Us" }] }],
])("the own devices are %s, and have no safety number", ([status, record]) => {
  expect(describeUser(record, "Us")).toMatchObject({ status, safetyNumber: undefined });
});

test.for<[string, Partial<IdentityRecord>]>([
  ["single", {}],
  ["linked", { devices: [phone] }],
  ["linked", { account: idOf(9), chain: toChain(own) }],
  ["unlinked", { unlinked: true }],
  [
    "unlinked",
    { account: idOf(9), chain: toChain(own), removed: [{ account: idOf(9), keys: [toBase64Url(half(own))] }] },
  ],
])("this device is %s", ([status, parts]) => {
  expect(ownIdentityOf({ ...recordOf(), ...parts })).toMatchObject({ device: idOf(own), status });
});

test("the own devices are listed, with those that were removed", () => {
  const other = { device: idOf(bobsPhone), since: 2, approved: false };
  const removed = [{ account: idOf(own), keys: [toBase64Url(half(bobsPhone))] }];
  const { account, devices } = ownIdentityOf({ ...recordOf(), devices: [phone, other], removed });
  expect(account).toBe(idOf(own));
  expect(devices).toEqual([
    { device: idOf(11), since: new Date(1), removed: false },
    { device: idOf(bobsPhone), since: new Date(2), removed: true },
  ]);
});
