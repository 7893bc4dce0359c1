import { describe, expect, test } from "vitest";
import { fromBase64Url, toBase64Url } from "../bytes.ts";
import { certify, isPending, isUnlinked, removedOf, userOf, without } from "./record.ts";
import {
  bob,
  bobsPhone,
  chainTo,
  check,
  claim,
  eve,
  expectUnchanged,
  half,
  idOf,
  knowing,
  now,
  own,
  proofBy,
  recordOf,
  refused,
  toChain,
  token,
} from "./testing/records.ts";
import { accept, addClaim, addToken, endTrust, removeDevice } from "./user-changes.ts";

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

  test("beyond 256 make the account refused for good", () => {
    let record = knowing();
    const keys = Array.from({ length: 256 }, (_, index) => new Uint8Array(16).fill(1).with(0, index));
    for (let from = 0; from < 256; from += 32)
      record = check(record, proofBy(bob, { removed: keys.slice(from, from + 32) })).record;
    expect(check(record, proofBy(bob)).verified).toBe(true);
    const over = check(record, proofBy(bob, { removed: [half(99)] }));
    expect(over).toMatchObject(refused);
    expect(check(over.record, proofBy(bob))).toMatchObject(refused);
    const further = check(over.record, removing(bob, 98));
    expect(check(further.record, proofBy(bob))).toMatchObject(refused);
    // One more than allowed keeps it refused.
    expect(removedOf(further.record, idOf(bob))).toHaveLength(257);
    expect(removedOf(check(knowing(), proofBy(bob, { removed: keys })).record, idOf(bob))).toHaveLength(256);
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

  test("accepting the same account again renews its time, so that older introductions do not replace it", () => {
    expect(userOf(accept(knowing(), "Bob", idOf(bob), now), "Bob").since).toBe(now);
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
    const again = endTrust(certify(record, "Bob", idOf(bob), now), "Bob");
    expect(again.ended).toEqual([idOf(bob)]);
  });

  test("the trust in others stays", () => {
    const others = certify(knowing(), "Carol", idOf(eve), now);
    expect(endTrust(others, "Bob").users).toEqual(others.users.slice(1));
  });

  test("a token, accepting and the app's directory begin an ended trust anew", () => {
    const record = addToken(endTrust(knowing(), "Bob"), token);
    expect(check(record, proofBy(bob), { answers: "s" }).record.ended).toEqual([]);
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
    expect(without(record, "claims", "Bob")).toBe(record);
  });
});
