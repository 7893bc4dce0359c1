import { describe, expect, test } from "vitest";
import { toBase64Url } from "../bytes.ts";
import type { Proof } from "./proof.ts";
import { certify, type IdentityRecord, ownChain, removedOf, userOf } from "./record.ts";
import {
  bob,
  chainTo,
  check,
  expectUnchanged,
  half,
  idOf,
  now,
  own,
  proofBy,
  recordOf,
  refused,
  signature,
  token,
} from "./testing/records.ts";
import { addClaim, addToken } from "./user-changes.ts";
import type { Evidence } from "./verdict.ts";

describe("linking", () => {
  const code = { alias: "Us", secret: "s", until: now + 1 };
  const made = addToken(recordOf(), code);
  const claimed = addClaim(recordOf(), { ...code, binding: "b", answered: false });
  const answers = "s";
  const makerOf = "s";
  const approval = signature;
  const asUs = (record: IdentityRecord, proof: Proof, evidence: Partial<Evidence>) =>
    check(record, proof, { alias: "Us", ...evidence });
  const established = (record: IdentityRecord) => certify(record, "Bob", idOf(bob), now);

  test("the claimer joins the maker's account when it is approved", () => {
    const first = asUs(claimed, proofBy(40, { single: true }), { makerOf });
    expect(first.verified).toBe(true);
    expect(first.record.account).toBe(idOf(own));
    const proof = proofBy(40, { approval, chain: chainTo(41), removed: [half(42)] });
    const { record, verified } = asUs(claimed, proof, { makerOf, approves: true });
    expect(verified).toBe(true);
    expect(record).toMatchObject({ account: idOf(40), formerAccounts: [idOf(own)], claims: [], unlinked: false });
    expect(ownChain(record).chain.map(({ key }) => toBase64Url(key))).toEqual([idOf(41), idOf(own)]);
    expect(removedOf(record, idOf(40))).toEqual([toBase64Url(half(42))]);
    expect(record.devices).toEqual([{ device: idOf(41), since: now, approved: false }]);
    expect(record.users).toEqual([]);
  });

  test("of two single devices the claimer joins, whichever account is lower", () => {
    for (const maker of [5, 40]) {
      const { record } = asUs(claimed, proofBy(maker, { single: true, approval }), { makerOf, approves: true });
      expect(record.account).toBe(idOf(maker));
    }
  });

  test("a device that joins still knows all accounts that it had", () => {
    const { record } = asUs({ ...claimed, formerAccounts: [idOf(9)] }, proofBy(40, { approval }), {
      makerOf,
      approves: true,
    });
    expect(record.formerAccounts).toEqual([idOf(9), idOf(own)]);
  });

  test("the maker stays, and approves the claimer until it is in the account", () => {
    const { record, verified } = asUs(made, proofBy(40, { single: true }), { answers });
    expect(verified).toBe(true);
    expect(record).toMatchObject({ account: idOf(own), joining: [idOf(40)], tokens: [] });
    expect(record.devices).toEqual([{ device: idOf(40), since: now, approved: true }]);
    const next = asUs(addToken(record, code), proofBy(50, { single: true }), { answers }).record;
    expect(next.joining).toEqual([idOf(40), idOf(50)]);
    expect(next.devices.map(({ device }) => device)).toEqual([idOf(40), idOf(50)]);
    const again = asUs(addToken(record, code), proofBy(40, { single: true }), { answers }).record;
    expect(again.joining).toEqual([idOf(40)]);
    expect(again.devices).toBe(record.devices);
    const unlinked = asUs({ ...made, unlinked: true }, proofBy(40, { single: true }), { answers }).record;
    expect(unlinked.unlinked).toBe(false);
    const joined = asUs(record, proofBy(own, { chain: chainTo(40) }), {}).record;
    expect(joined.joining).toEqual([]);
    expect(joined.devices).toEqual(record.devices);
  });

  test("a device that was seen before it was linked is no longer reported", () => {
    const seen = asUs(recordOf(), proofBy(40), {}).record;
    expect(userOf(seen, "Us").seen).toBe(idOf(40));
    const linked = asUs(addToken(seen, code), proofBy(40, { single: true }), { answers }).record;
    expect(userOf(linked, "Us").seen).toBeUndefined();
    const joined = asUs(addClaim(seen, { ...code, binding: "b", answered: false }), proofBy(40, { approval }), {
      makerOf,
      approves: true,
    }).record;
    expect(userOf(joined, "Us").seen).toBeUndefined();
    const met = asUs(seen, proofBy(own, { chain: chainTo(40) }), {}).record;
    expect(userOf(met, "Us").seen).toBeUndefined();
    const metAnother = asUs(seen, proofBy(own, { chain: chainTo(50) }), {}).record;
    expect(userOf(metAnother, "Us").seen).toBe(idOf(40));
  });

  test("a device that was met is listed once when it is approved", () => {
    const met = asUs(
      asUs(made, proofBy(own, { chain: chainTo(50) }), {}).record,
      proofBy(own, { chain: chainTo(40) }),
      {},
    );
    const { record } = asUs(met.record, proofBy(40, { single: true }), { answers, now: now + 0.5 });
    expect(record.devices.map(({ since }) => since)).toEqual([now, now]);
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
    const staying = asUs(established(claimed), proofBy(40, { single: true }), { makerOf });
    expect(staying.record).toMatchObject({ account: idOf(own), joining: [idOf(40)] });
  });

  test("the claimer joins if neither is single", () => {
    expect(asUs(established(made), proofBy(40), { answers }).record).toMatchObject({ joining: [idOf(40)] });
    const { record } = asUs(established(claimed), proofBy(40, { approval }), { makerOf, approves: true });
    expect(record.account).toBe(idOf(40));
    expect(userOf(record, "Bob").certain).toBe(idOf(bob));
  });

  test("the maker that joins waits for the approval of the device that has answered", () => {
    const answered = asUs(addToken(made, token), proofBy(40), { answers });
    expect(answered).toMatchObject({ verified: true, record: { account: idOf(own) } });
    expect(answered.record.tokens).toEqual([{ ...code, claimedBy: idOf(40) }, token]);
    expectUnchanged(asUs(answered.record, proofBy(40), { answers }), answered.record);
    const other = asUs(answered.record, proofBy(50, { approval, claim: new Uint8Array(16) }), {
      answers,
      approves: true,
    });
    expect(other).toMatchObject(refused);
    const joined = asUs(answered.record, proofBy(40, { approval }), { answers, approves: true });
    expect(joined.record).toMatchObject({ account: idOf(40), tokens: [token] });
  });

  test("if each has claimed the other's code, the single one joins, or the one with the lower account", () => {
    const both = addToken(claimed, { ...code, secret: "own" });
    const evidence = { makerOf, answers: "own", approves: true };
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
    const verdict = asUs(waiting, proofBy(60, { approval }), { makerOf, approves: true });
    expect(verdict).toMatchObject(refused);
    expect(verdict.record.account).toBe(idOf(own));
  });

  test("a device does not join at the end of a chain of eight", () => {
    const proof = proofBy(40, { approval, chain: chainTo(41, 42, 43, 44, 45, 46, 47, 48) });
    expect(asUs(claimed, proof, { makerOf, approves: true })).toMatchObject(refused);
  });

  test("a device that is in the account already takes no second approval", () => {
    const proof = proofBy(own, { approval, chain: chainTo(41) });
    const { record, verified } = asUs(claimed, proof, { makerOf, approves: true });
    expect(verified).toBe(true);
    expect(record).toMatchObject({ account: idOf(own), formerAccounts: [] });
  });

  test("without a code an approval changes nothing", () => {
    const { record, verified } = asUs(recordOf(), proofBy(40, { approval }), { approves: true });
    expect(verified).toBe(false);
    expect(record.account).toBe(idOf(own));
  });
});
