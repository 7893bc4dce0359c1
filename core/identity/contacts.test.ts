import { describe, expect, test } from "vitest";
import { fromBase64Url, toBase64Url } from "../bytes.ts";
import {
  accept,
  addClaim,
  addToken,
  certify,
  createRecord,
  type Evidence,
  endTrust,
  type IdentityRecord,
  isPending,
  isSingle,
  isUnlinked,
  judge,
  ownChain,
  purposeOf,
  removeDevice,
  removedOf,
  userOf,
  withoutClaim,
} from "./contacts.ts";
import { halfOf, type Proof } from "./proof.ts";

const keyOf = (byte: number) => new Uint8Array(32).fill(byte);
const idOf = (byte: number) => toBase64Url(keyOf(byte));
const half = (byte: number) => halfOf(keyOf(byte));
const signature = new Uint8Array(64);
const name = new Uint8Array(16);

// Keys by the first byte.
const own = 10;
const bob = 20;
const bobsPhone = 21;
const eve = 30;

const now = 1_000_000_000_000;
const day = 24 * 60 * 60 * 1_000;

function recordOf(device = own): IdentityRecord {
  return createRecord({ publicKey: idOf(device), privateKey: "" });
}

function proofBy(account: number, parts: Partial<Proof> = {}): Proof {
  const empty = { body: new Uint8Array(), signature };
  return { account: keyOf(account), chain: [], single: false, removed: [], ...empty, ...parts };
}

const chainTo = (...devices: number[]) => devices.map((device) => ({ key: keyOf(device), signature }));

const none: Omit<Evidence, "alias"> = {
  answers: new Set(),
  makers: new Set(),
  approves: false,
  issues: false,
  introduces: false,
  now,
};

const check = (record: IdentityRecord, proof: Proof | undefined, evidence: Partial<Evidence> = {}) =>
  judge(record, { ...none, alias: "Bob", proof, ...evidence });

const token = { alias: "Bob", secret: "s", until: now + 1 };
const claim = { ...token, binding: "b", answered: false };
const knowing = (account = bob, since = now - day) => certify(recordOf(), "Bob", idOf(account), since);
const refused = { verified: false, refusal: expect.objectContaining({ code: "identity-mismatch" }) };

/** A record that has no name in common with the objects that judging returned. */
function expectUnchanged({ record }: { record: IdentityRecord }, before: IdentityRecord): void {
  expect(record).toBe(before);
}

test("linking codes and tokens for users have different purposes", () => {
  expect([purposeOf("Us"), purposeOf("Bob")]).toEqual([1, 0]);
});

describe("without a proof", () => {
  test("an unknown user is let through", () => {
    const record = recordOf();
    const verdict = check(record, undefined);
    expect(verdict).toMatchObject({ verified: false });
    expect(verdict.refusal).toBeUndefined();
    expectUnchanged(verdict, record);
  });

  test.for([
    ["is certain", knowing(), {}],
    ["was seen", check(recordOf(), proofBy(bob)).record, {}],
    ["has a token pending", addToken(recordOf(), token), {}],
    ["made a token that was claimed", addClaim(recordOf(), claim), {}],
    ["is in the app's directory", recordOf(), { expected: idOf(bob) }],
  ] as const)("a user who %s is refused", ([, record, evidence]) => {
    expect(check(record, undefined, evidence)).toMatchObject(refused);
  });

  test("a device of the own user is refused once another one was met", () => {
    const record = recordOf();
    expect(check(record, undefined, { alias: "Us" }).refusal).toBeUndefined();
    const met = check(record, proofBy(own, { chain: chainTo(11) }), { alias: "Us" }).record;
    expect(check(met, undefined, { alias: "Us" })).toMatchObject(refused);
  });

  test("a token that has expired is not pending", () => {
    expect(isPending(addToken(recordOf(), token), "Bob", now + 1)).toBe(false);
    expect(check(addToken(recordOf(), token), undefined, { now: now + 1 }).refusal).toBeUndefined();
    expect(check(addClaim(recordOf(), claim), undefined, { now: now + 1 }).refusal).toBeUndefined();
  });
});

describe("first use", () => {
  test("the account is remembered as seen, and not verified", () => {
    const verdict = check(recordOf(), proofBy(bob));
    expect(verdict).toMatchObject({ verified: false });
    expect(userOf(verdict.record, "Bob")).toEqual({ alias: "Bob", seen: idOf(bob) });
    expectUnchanged(check(verdict.record, proofBy(bob)), verdict.record);
  });

  test("another account is reported as changed, until the first one comes back", () => {
    const seen = check(recordOf(), proofBy(bob)).record;
    const changed = check(seen, proofBy(eve));
    expect(changed).toMatchObject({ verified: false });
    expect(userOf(changed.record, "Bob")).toMatchObject({ seen: idOf(bob), changed: idOf(eve) });
    expectUnchanged(check(changed.record, proofBy(eve)), changed.record);
    expect(userOf(check(changed.record, proofBy(bob)).record, "Bob").changed).toBeUndefined();
  });

  test("names such as __proto__ are known only once they were met", () => {
    expect(userOf(recordOf(), "__proto__")).toEqual({ alias: "__proto__" });
    const { record } = check(recordOf(), proofBy(bob), { alias: "__proto__" });
    expect(userOf(record, "__proto__").seen).toBe(idOf(bob));
  });
});

describe("a certain account", () => {
  test("is verified on each of its devices", () => {
    expect(check(knowing(), proofBy(bob)).verified).toBe(true);
    expect(check(knowing(), proofBy(bob, { chain: chainTo(bobsPhone) })).verified).toBe(true);
  });

  test("stays certain while others call themselves so", () => {
    const { record, verified } = check(knowing(), proofBy(eve));
    expect(verified).toBe(false);
    expect(userOf(record, "Bob")).toMatchObject({ certain: idOf(bob), changed: idOf(eve) });
    const back = check(record, proofBy(bob));
    expect(back.verified).toBe(true);
    expect(userOf(back.record, "Bob").changed).toBeUndefined();
  });

  test("is refused under another name", () => {
    expect(check(knowing(), proofBy(bob), { alias: "Carol" })).toMatchObject(refused);
  });

  test("is replaced by the account that its device has joined", () => {
    const { record, verified } = check(knowing(bobsPhone), proofBy(bob, { chain: chainTo(bobsPhone) }));
    expect(verified).toBe(true);
    expect(userOf(record, "Bob")).toMatchObject({ certain: idOf(bob), since: now - day });
  });

  test("is not replaced by an account that another device has", () => {
    const { verified } = check(knowing(bobsPhone), proofBy(bob, { chain: chainTo(bobsPhone, 22) }));
    expect(verified).toBe(false);
  });
});

describe("the own account", () => {
  test("is verified as Us, and the other device is remembered", () => {
    const { record, verified } = check(recordOf(), proofBy(own, { chain: chainTo(11) }), { alias: "Us" });
    expect(verified).toBe(true);
    expect(record.devices).toEqual([{ device: idOf(11), since: now, approved: false }]);
    expect(isSingle(record)).toBe(false);
    expectUnchanged(check(record, proofBy(own, { chain: chainTo(11) }), { alias: "Us" }), record);
  });

  test("is refused under another name", () => {
    expect(check(recordOf(), proofBy(own, { chain: chainTo(11) }))).toMatchObject(refused);
  });

  test("another account is not verified as Us", () => {
    const { record, verified } = check(recordOf(), proofBy(eve), { alias: "Us" });
    expect(verified).toBe(false);
    expect(userOf(record, "Us").seen).toBe(idOf(eve));
  });
});

describe("`to`", () => {
  test("that names another account makes this device unlinked, and nothing is remembered", () => {
    const { record, verified } = check(recordOf(), proofBy(bob, { to: keyOf(99) }));
    expect(verified).toBe(false);
    expect(isUnlinked(record)).toBe(true);
    expect(record.users).toEqual([]);
  });

  test("that names another account outweighs everything else", () => {
    const to = keyOf(99);
    expect(check(knowing(), proofBy(bob, { to })).verified).toBe(false);
    expect(check(recordOf(), proofBy(bob, { to }), { expected: idOf(bob) }).verified).toBe(false);
  });

  test("that names the own or a former account changes nothing", () => {
    const record = { ...knowing(), formerAccounts: [idOf(9)] };
    for (const account of [own, 9]) {
      const verdict = check(record, proofBy(bob, { to: keyOf(account) }));
      expect(verdict.verified).toBe(true);
      expect(isUnlinked(verdict.record)).toBe(false);
    }
  });
});

describe("the app's directory", () => {
  test("verifies the account that it names, and remembers it", () => {
    const { record, verified } = check(recordOf(), proofBy(bob), { expected: idOf(bob) });
    expect(verified).toBe(true);
    expect(userOf(record, "Bob")).toMatchObject({ certain: idOf(bob), since: now });
  });

  test("verifies no other account, whatever else speaks for it", () => {
    const known = addClaim(addToken(knowing(), token), claim);
    const evidence = { expected: idOf(eve), answers: new Set(["s"]), makers: new Set(["s"]), introduces: true };
    const presented = { chain: [], time: now, name, signature };
    const { record, verified } = check(known, proofBy(bob, { presented }), evidence);
    expect(verified).toBe(false);
    expect(isPending(record, "Bob", now)).toBe(true);
  });
});

describe("a token that this account has made", () => {
  const waiting = addToken(recordOf(), token);
  const answers = new Set(["s"]);

  test("verifies who answers it, once", () => {
    const { record, verified } = check(waiting, proofBy(bob), { answers });
    expect(verified).toBe(true);
    expect(userOf(record, "Bob")).toMatchObject({ certain: idOf(bob), since: now });
    expect(isPending(record, "Bob", now)).toBe(false);
    expect(check(record, proofBy(eve), { answers }).verified).toBe(false);
  });

  test("refuses everybody else while nobody was verified", () => {
    const verdict = check(waiting, proofBy(eve));
    expect(verdict).toMatchObject(refused);
    expectUnchanged(verdict, waiting);
    expect(check(check(recordOf(), proofBy(eve)).record, proofBy(eve)).refusal).toBeUndefined();
    const seen = addToken(check(recordOf(), proofBy(eve)).record, token);
    expect(check(seen, proofBy(eve))).toMatchObject(refused);
  });

  test("lets others through, not verified, if the user was verified before", () => {
    const { verified, refusal } = check(addToken(knowing(), token), proofBy(eve));
    expect({ verified, refusal }).toEqual({ verified: false, refusal: undefined });
  });

  test("does not verify another name, nor after its time", () => {
    expect(check(waiting, proofBy(bob), { answers, alias: "Carol" }).verified).toBe(false);
    expect(check(waiting, proofBy(bob), { answers, now: now + 1 }).verified).toBe(false);
  });

  test("is used up by the certain account, too", () => {
    const { record, verified } = check(addToken(knowing(), token), proofBy(bob), { answers });
    expect(verified).toBe(true);
    expect(isPending(record, "Bob", now)).toBe(false);
    expect(isPending(check(addToken(knowing(), token), proofBy(bob)).record, "Bob", now)).toBe(true);
  });

  test("verifies a new account after a reset of the user", () => {
    const { record, verified } = check(addToken(knowing(), token), proofBy(bobsPhone), { answers });
    expect(verified).toBe(true);
    expect(userOf(record, "Bob")).toMatchObject({ certain: idOf(bobsPhone), since: now });
  });

  test("is replaced by a newer one for the same name only", () => {
    const record = addToken(addToken(waiting, { ...token, alias: "Carol" }), { ...token, secret: "newer" });
    expect(record.tokens.map(({ alias, secret }) => [alias, secret])).toEqual([
      ["Carol", "s"],
      ["Bob", "newer"],
    ]);
  });
});

describe("a token that this account has claimed", () => {
  const waiting = addClaim(recordOf(), claim);
  const makers = new Set(["s"]);

  test("verifies its maker, and stays until the maker names this account", () => {
    const { record, verified } = check(waiting, proofBy(bob), { makers });
    expect(verified).toBe(true);
    expect(isPending(record, "Bob", now)).toBe(false);
    expect(record.claims).toEqual([{ ...claim, answered: true }]);
    expectUnchanged(check(record, proofBy(bob), { makers }), record);

    expect(check(record, proofBy(bob, { to: keyOf(own) }), { makers }).record.claims).toEqual([]);
  });

  test("is answered at once by a maker who names this account", () => {
    const { record, verified } = check(waiting, proofBy(bob, { to: keyOf(own) }), { makers });
    expect(verified).toBe(true);
    expect(record.claims).toEqual([]);
  });

  test("counts as answered when the certain account made it", () => {
    const { record } = check(addClaim(knowing(), claim), proofBy(bob), { makers });
    expect(isPending(record, "Bob", now)).toBe(false);
  });

  test("refuses everybody else while nobody was verified", () => {
    expect(check(waiting, proofBy(eve))).toMatchObject(refused);
  });

  test("does not verify another name, nor after its time", () => {
    expect(check(waiting, proofBy(bob), { makers, alias: "Carol" }).verified).toBe(false);
    expect(check(waiting, proofBy(bob), { makers, now: now + 1 }).verified).toBe(false);
  });

  test("verifies when both users claim at once", () => {
    const both = addToken(waiting, { ...token, secret: "own" });
    const { record, verified } = check(both, proofBy(bob), { makers, answers: new Set(["own"]) });
    expect(verified).toBe(true);
    expect(isPending(record, "Bob", now)).toBe(false);
  });
});

describe("an introduction", () => {
  const presented = { chain: chainTo(11), time: now - 5, name, signature };
  const introduced = proofBy(bob, { presented });

  test("verifies a user, as of the time when the other device did", () => {
    const { record, verified } = check(recordOf(), introduced, { introduces: true });
    expect(verified).toBe(true);
    expect(userOf(record, "Bob")).toMatchObject({ certain: idOf(bob), since: now - 5 });
  });

  test.for([
    ["is not signed", recordOf(), { introduces: false }, {}],
    ["is older than what is known", knowing(eve, now - 5), {}, {}],
    ["is from the future", recordOf(), {}, { time: now + day + 1 }],
    ["was signed by a removed device", removeDevice(recordOf(), idOf(11)), {}, {}],
    ["is about a user whose trust was ended", endTrust(knowing(), "Bob"), {}, {}],
  ] as const)("does not verify if it %s", ([, record, evidence, parts]) => {
    const proof = proofBy(bob, { presented: { ...presented, ...parts } });
    expect(check(record, proof, { introduces: true, ...evidence }).verified).toBe(false);
  });

  test("replaces an older account, and is accepted up to 24 h from the future", () => {
    const proof = proofBy(bob, { presented: { ...presented, time: now + day } });
    const { record, verified } = check(knowing(eve), proof, { introduces: true });
    expect(verified).toBe(true);
    expect(userOf(record, "Bob").certain).toBe(idOf(bob));
  });

  test("does not use up a pending token, and does not end a trust's end", () => {
    const pending = addToken(recordOf(), token);
    const { record } = check(pending, introduced, { introduces: true });
    expect(record.tokens).toHaveLength(1);
  });

  const issued = { time: now, name, signature };
  const issuing = (time: number, by = bob, chain: Proof["chain"] = []) =>
    proofBy(by, { issued: { ...issued, time }, chain });

  test("that a user issues is kept, the newest only", () => {
    const keep = (record: IdentityRecord, time: number) => check(record, issuing(time), { issues: true }).record;
    const first = keep(knowing(), 5);
    expect(userOf(first, "Bob").introduction).toMatchObject({ by: idOf(bob), about: idOf(own), time: 5 });
    expect(userOf(keep(first, 6), "Bob").introduction!.time).toBe(6);
    expectUnchanged({ record: keep(first, 5) }, first);
    expectUnchanged({ record: keep(first, 4) }, first);
  });

  test("is not kept if it is not about this account, from the future, or from another account than the user's", () => {
    const kept = (proof: Proof, evidence: Partial<Evidence>) =>
      userOf(check(knowing(), proof, evidence).record, "Bob").introduction;
    expect(kept(issuing(5), { issues: false })).toBeUndefined();
    expect(kept(issuing(now + day), { issues: true })).toBeDefined();

    expect(kept(issuing(now + day + 1), { issues: true })).toBeUndefined();
    expect(kept(issuing(5, eve), { issues: true })).toBeUndefined();
  });

  test("of a refused peer is not kept", () => {
    const seen = addToken(check(recordOf(), proofBy(bob)).record, token);
    const verdict = check(seen, issuing(5), { issues: true });
    expect(verdict).toMatchObject(refused);
    expectUnchanged(verdict, seen);
  });

  test("of a removed device is replaced by an older one", () => {
    const first = check(knowing(), issuing(9, bob, chainTo(bobsPhone)), { issues: true }).record;
    const proof = { ...issuing(5), removed: [half(bobsPhone)] };
    expect(userOf(check(first, proof, { issues: true }).record, "Bob").introduction!.time).toBe(5);
  });

  test("of a user's former account, or about the own former account, is replaced by an older one", () => {
    const first = check(knowing(), issuing(9), { issues: true }).record;
    const moved = certify(first, "Bob", idOf(22), now);
    expect(userOf(check(moved, issuing(5, 22), { issues: true }).record, "Bob").introduction!.time).toBe(5);
    const joined = { ...first, account: idOf(9) };
    expect(userOf(check(joined, issuing(5), { issues: true }).record, "Bob").introduction!.time).toBe(5);
  });
});

describe("removed devices", () => {
  const removing = (by: number, ...keys: number[]) => proofBy(by, { removed: keys.map(half) });

  test("are refused from the proof on that names them", () => {
    const { record } = check(knowing(), removing(bob, bobsPhone));
    for (const chain of [chainTo(bobsPhone), chainTo(bobsPhone, 22)])
      expect(check(record, proofBy(bob, { chain }))).toMatchObject(refused);
    expect(check(record, proofBy(bob, { chain: chainTo(22) })).verified).toBe(true);
  });

  test("are never restored, and the lists of several proofs are joined", () => {
    const record = check(check(knowing(), removing(bob, 21)).record, removing(bob, 22)).record;
    expect(removedOf(record, idOf(bob))).toHaveLength(2);
    expectUnchanged(check(record, proofBy(bob)), record);
    expectUnchanged(check(record, removing(bob, 21)), record);
  });

  test("of an account that nobody knows are not kept", () => {
    const { record } = check(knowing(), removing(eve, 31));
    expect(removedOf(record, idOf(eve))).toEqual([]);
  });

  test("beyond 256 make the account refused for good", () => {
    let record = knowing();
    const keys = Array.from({ length: 256 }, (_, index) => new Uint8Array(16).fill(1).with(0, index));
    for (let from = 0; from < 256; from += 32)
      record = check(record, proofBy(bob, { removed: keys.slice(from, from + 32) })).record;
    expect(check(record, proofBy(bob)).verified).toBe(true);
    const over = check(record, proofBy(bob, { removed: [half(99)] }));
    expect(over).toMatchObject(refused);
    expect(check(over.record, proofBy(bob))).toMatchObject(refused);
    expect(check(check(over.record, removing(bob, 98)).record, proofBy(bob))).toMatchObject(refused);
  });

  test("of the own account are learned from a sibling, which can make this device unlinked", () => {
    const record = { ...recordOf(11), account: idOf(own), chain: toChain(11) };
    const { record: next } = check(record, proofBy(own, { removed: [half(11)] }), { alias: "Us" });
    expect(isUnlinked(record)).toBe(false);
    expect(isUnlinked(next)).toBe(true);
  });

  test("cannot be this device, the account's key, or one that approved this device", () => {
    const record = { ...recordOf(12), account: idOf(own), chain: toChain(11, 12) };
    for (const device of [own, 11, 12])
      expect(() => removeDevice(record, idOf(device))).toThrow(expect.objectContaining({ code: "unsupported" }));
    expect(() => removeDevice(record, "x")).toThrow(expect.objectContaining({ code: "invalid-request" }));
    expect(removedOf(removeDevice(record, idOf(13)), idOf(own))).toEqual([toBase64Url(half(13))]);
  });

  test("are at most 32, and one of them can be removed again", () => {
    let record = recordOf();
    for (let device = 100; device < 132; device++) record = removeDevice(record, idOf(device));
    expectUnchanged({ record: removeDevice(record, idOf(100)) }, record);
    expect(() => removeDevice(record, idOf(132))).toThrow(expect.objectContaining({ code: "too-large" }));
  });
});

describe("linking", () => {
  const code = { alias: "Us", secret: "s", until: now + 1 };
  const made = addToken(recordOf(), code);
  const claimed = addClaim(recordOf(), { ...code, binding: "b", answered: false });
  const answers = new Set(["s"]);
  const makers = new Set(["s"]);
  const approval = signature;
  const asUs = (record: IdentityRecord, proof: Proof, evidence: Partial<Evidence>) =>
    check(record, proof, { alias: "Us", ...evidence });
  const established = (record: IdentityRecord) => certify(record, "Bob", idOf(bob), now);

  test("the claimer joins the maker's account when it is approved", () => {
    const first = asUs(claimed, proofBy(40, { single: true }), { makers });
    expect(first.verified).toBe(true);
    expect(first.record.account).toBe(idOf(own));
    const proof = proofBy(40, { approval, chain: chainTo(41), removed: [half(42)] });
    const { record, verified } = asUs(claimed, proof, { makers, approves: true });
    expect(verified).toBe(true);
    expect(record).toMatchObject({ account: idOf(40), formerAccounts: [idOf(own)], claims: [], unlinked: false });
    expect(ownChain(record).chain.map(({ key }) => toBase64Url(key))).toEqual([idOf(41), idOf(own)]);
    expect(removedOf(record, idOf(40))).toEqual([toBase64Url(half(42))]);
    expect(record.devices).toEqual([{ device: idOf(41), since: now, approved: false }]);
    expect(record.users).toEqual([]);
  });

  test("the maker stays, and approves the claimer until it is in the account", () => {
    const { record, verified } = asUs(made, proofBy(40, { single: true }), { answers });
    expect(verified).toBe(true);
    expect(record).toMatchObject({ account: idOf(own), joining: [idOf(40)], tokens: [] });
    expect(record.devices).toEqual([{ device: idOf(40), since: now, approved: true }]);
    const next = asUs(addToken(record, code), proofBy(50, { single: true }), { answers }).record;
    expect(next.joining).toEqual([idOf(40), idOf(50)]);
    expect(next.devices.map(({ device }) => device)).toEqual([idOf(40), idOf(50)]);
    const joined = asUs(record, proofBy(own, { chain: chainTo(40) }), {}).record;
    expect(joined.joining).toEqual([]);
    expect(joined.devices).toHaveLength(1);
  });

  test("a device that was seen before it was linked is no longer reported", () => {
    const seen = asUs(recordOf(), proofBy(40), {}).record;
    expect(userOf(seen, "Us").seen).toBe(idOf(40));
    const linked = asUs(addToken(seen, code), proofBy(40, { single: true }), { answers }).record;
    expect(userOf(linked, "Us").seen).toBeUndefined();
    const joined = asUs(addClaim(seen, { ...code, binding: "b", answered: false }), proofBy(40, { approval }), {
      makers,
      approves: true,
    }).record;
    expect(userOf(joined, "Us").seen).toBeUndefined();
    const met = asUs(seen, proofBy(own, { chain: chainTo(40) }), {}).record;
    expect(userOf(met, "Us").seen).toBeUndefined();
  });

  test("a device that was met is listed once when it is approved", () => {
    const met = asUs(
      asUs(made, proofBy(own, { chain: chainTo(50) }), {}).record,
      proofBy(own, { chain: chainTo(40) }),
      {},
    );
    const { record } = asUs(met.record, proofBy(40, { single: true }), { answers });
    expect(record.devices.map(({ device, approved }) => [device, approved])).toEqual([
      [idOf(50), false],
      [idOf(40), true],
    ]);
  });

  test("a claim that no code of this device fits is refused", () => {
    const verdict = asUs(recordOf(), proofBy(40, { claim: new Uint8Array(16) }), {});
    expect(verdict).toMatchObject(refused);
    expect(asUs(recordOf(), proofBy(own, { claim: new Uint8Array(16), chain: chainTo(11) }), {}).verified).toBe(true);
  });

  test("a code works for one device", () => {
    const { record } = asUs(made, proofBy(40, { single: true }), { answers });
    expect(asUs(record, proofBy(50, { single: true }), { answers }).verified).toBe(false);
  });

  test("the maker joins if only it is single", () => {
    const { record } = asUs(made, proofBy(40, { approval }), { answers, approves: true });
    expect(record).toMatchObject({ account: idOf(40), joining: [] });
    const staying = asUs(established(claimed), proofBy(40, { single: true }), { makers });
    expect(staying.record).toMatchObject({ account: idOf(own), joining: [idOf(40)] });
  });

  test("the claimer joins if neither is single", () => {
    expect(asUs(established(made), proofBy(40), { answers }).record).toMatchObject({ joining: [idOf(40)] });
    const { record } = asUs(established(claimed), proofBy(40, { approval }), { makers, approves: true });
    expect(record.account).toBe(idOf(40));
    expect(userOf(record, "Bob").certain).toBe(idOf(bob));
  });

  test("the maker that joins waits for the approval of the device that has answered", () => {
    const answered = asUs(made, proofBy(40), { answers });
    expect(answered).toMatchObject({
      verified: true,
      record: { account: idOf(own), tokens: [{ claimedBy: idOf(40) }] },
    });
    expectUnchanged(asUs(answered.record, proofBy(40), { answers }), answered.record);
    const other = asUs(answered.record, proofBy(50, { approval, claim: new Uint8Array(16) }), {
      answers,
      approves: true,
    });
    expect(other).toMatchObject(refused);
    const joined = asUs(answered.record, proofBy(40, { approval }), { answers, approves: true });
    expect(joined.record).toMatchObject({ account: idOf(40), tokens: [] });
  });

  test("if each has claimed the other's code, the single one joins, or the one with the lower account", () => {
    const both = addToken(claimed, { ...code, secret: "own" });
    const evidence = { makers, answers: new Set(["own"]), approves: true };
    const joins = (record: IdentityRecord, proof: Proof) => asUs(record, proof, evidence).record.account !== idOf(own);
    expect(joins(both, proofBy(40, { approval }))).toBe(true);
    expect(joins(established(both), proofBy(40, { approval, single: true }))).toBe(false);
    expect(joins(both, proofBy(40, { approval, single: true }))).toBe(true);
    expect(joins(both, proofBy(5, { approval, single: true }))).toBe(false);
    expect(joins(established(both), proofBy(40, { approval }))).toBe(true);
  });

  test("a device that has approved others does not leave them behind", () => {
    const approver = asUs(made, proofBy(40, { single: true }), { answers }).record;
    const waiting = addClaim(approver, { ...code, binding: "b", answered: false });
    const verdict = asUs(waiting, proofBy(60, { approval }), { makers, approves: true });
    expect(verdict).toMatchObject(refused);
    expect(verdict.record.account).toBe(idOf(own));
  });

  test("a device does not join at the end of a chain of eight", () => {
    const proof = proofBy(40, { approval, chain: chainTo(41, 42, 43, 44, 45, 46, 47, 48) });
    expect(asUs(claimed, proof, { makers, approves: true })).toMatchObject(refused);
  });

  test("a device that is in the account already takes no second approval", () => {
    const proof = proofBy(own, { approval, chain: chainTo(41) });
    const { record, verified } = asUs(claimed, proof, { makers, approves: true });
    expect(verified).toBe(true);
    expect(record).toMatchObject({ account: idOf(own), formerAccounts: [] });
  });

  test("without a code an approval changes nothing", () => {
    const { record, verified } = asUs(recordOf(), proofBy(40, { approval }), { approves: true });
    expect(verified).toBe(false);
    expect(record.account).toBe(idOf(own));
  });
});

describe("accepting and ending trust", () => {
  test("accepts the account that was shown beside the safety number", () => {
    const changed = check(knowing(), proofBy(eve)).record;
    expect(() => accept(changed, "Bob", idOf(bob), now)).toThrow(
      expect.objectContaining({ code: "identity-mismatch" }),
    );
    const others = certify(changed, "Carol", idOf(99), now);
    const accepted = accept(addToken(others, token), "Bob", idOf(eve), now);

    expect(userOf(accepted, "Bob")).toEqual({ alias: "Bob", certain: idOf(eve), since: now });
    expect(isPending(accepted, "Bob", now)).toBe(false);
  });

  test("rejects an account that is certain under another name, unknown users, and Us", () => {
    const seen = check(recordOf(), proofBy(eve), { alias: "Carol" }).record;
    const other = certify(seen, "Dan", idOf(eve), now);
    for (const [record, alias] of [
      [other, "Carol"],
      [recordOf(), "Carol"],
      [check(recordOf(), proofBy(eve), { alias: "Us" }).record, "Us"],
    ] as const) {
      expect(() => accept(record, alias, idOf(eve), now)).toThrow(
        expect.objectContaining({ code: "identity-mismatch" }),
      );
    }
  });

  test("a user who was removed is unknown, with tokens and claims", () => {
    const record = endTrust(addClaim(addToken(knowing(), token), claim), "Bob");
    expect(record).toMatchObject({ users: [], tokens: [], claims: [], ended: [idOf(bob)] });
    expect(endTrust(record, "Bob").ended).toEqual([idOf(bob)]);
  });

  test("a token, accepting and the app's directory begin an ended trust anew", () => {
    const record = addToken(endTrust(knowing(), "Bob"), token);
    expect(check(record, proofBy(bob), { answers: new Set(["s"]) }).record.ended).toEqual([]);
    expect(check(record, proofBy(bob), { expected: idOf(bob) }).record.ended).toEqual([]);
    const seen = check(endTrust(knowing(), "Bob"), proofBy(bob)).record;
    expect(accept(seen, "Bob", idOf(bob), now).ended).toEqual([]);
  });

  test("the newest 1 024 ended trusts are remembered", () => {
    let record = recordOf();
    for (let index = 0; index < 1_025; index++) {
      const account = toBase64Url(new Uint8Array(32).with(0, index % 256).with(1, index >> 8));
      record = endTrust(certify(record, "Bob", account, now), "Bob");
    }
    expect(record.ended).toHaveLength(1_024);
    expect(fromBase64Url(record.ended[0]!)!.subarray(0, 2)).toEqual(Uint8Array.of(1, 0));
  });

  test("removing a claim that is not there returns the same record", () => {
    const record = recordOf();
    expect(withoutClaim(record, "Bob")).toBe(record);
  });
});

function toChain(...devices: number[]): string {
  return toBase64Url(
    Uint8Array.of(devices.length, ...chainTo(...devices).flatMap(({ key, signature }) => [...key, ...signature])),
  );
}
