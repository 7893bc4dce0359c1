import { describe, expect, test } from "vitest";
import { toBase64Url } from "../bytes.ts";
import { type Proof, writeIntroduction } from "./proof.ts";
import { certify, type IdentityRecord, isPending, isSingle, isUnlinked, purposeOf, userOf } from "./record.ts";
import {
  bob,
  bobsPhone,
  chainTo,
  check,
  claim,
  day,
  eve,
  expectUnchanged,
  half,
  idOf,
  keyOf,
  knowing,
  name,
  now,
  own,
  proofBy,
  recordOf,
  refused,
  signature,
  toChain,
  token,
} from "./testing/records.ts";
import { addClaim, addToken, endTrust, removeDevice } from "./user-changes.ts";
import type { Evidence } from "./verdict.ts";

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
    expect(check(met, undefined).refusal).toBeUndefined();
  });

  test("a token that has expired is not pending", () => {
    expect(isPending(addToken(recordOf(), token), "Bob", now + 1)).toBe(false);
    expect(isPending(addClaim(addToken(recordOf(), token), claim), "Carol", now)).toBe(false);
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
    expectUnchanged(check(record, proofBy(own), { alias: "Us" }), record);
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
    expectUnchanged(check(record, proofBy(bob, { to: keyOf(99) })), record);
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
    const evidence = { expected: idOf(eve), answers: "s", makerOf: "s", introduces: true };
    const presented = { chain: [], time: now, name, signature };
    const { record, verified } = check(known, proofBy(bob, { presented }), evidence);
    expect(verified).toBe(false);
    expect(isPending(record, "Bob", now)).toBe(true);
  });
});

describe("a token that this account has made", () => {
  const waiting = addToken(recordOf(), token);
  const answers = "s";

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
    expect(userOf(record, "Bob").since).toBe(now - day);
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
  const makerOf = "s";

  test("verifies its maker, and stays until the maker names this account", () => {
    const { record, verified } = check(waiting, proofBy(bob), { makerOf });
    expect(verified).toBe(true);
    expect(isPending(record, "Bob", now)).toBe(false);
    expect(record.claims).toEqual([{ ...claim, answered: true }]);
    expectUnchanged(check(record, proofBy(bob), { makerOf }), record);

    expect(check(record, proofBy(bob, { to: keyOf(own) }), { makerOf }).record.claims).toEqual([]);
  });

  test("is answered at once by a maker who names this account", () => {
    const { record, verified } = check(waiting, proofBy(bob, { to: keyOf(own) }), { makerOf });
    expect(verified).toBe(true);
    expect(record.claims).toEqual([]);
  });

  test("is answered alone, and not those for other names", () => {
    const carols = { ...claim, alias: "Carol" };
    const { record } = check(addClaim(waiting, carols), proofBy(bob), { makerOf });
    expect(record.claims).toEqual([{ ...claim, answered: true }, carols]);
  });

  test("counts as answered when the certain account made it", () => {
    const { record } = check(addClaim(knowing(), claim), proofBy(bob), { makerOf });
    expect(isPending(record, "Bob", now)).toBe(false);
  });

  test("refuses everybody else while nobody was verified", () => {
    expect(check(waiting, proofBy(eve))).toMatchObject(refused);
  });

  test("does not verify another name, nor after its time", () => {
    expect(check(waiting, proofBy(bob), { makerOf, alias: "Carol" }).verified).toBe(false);
    expect(check(waiting, proofBy(bob), { makerOf, now: now + 1 }).verified).toBe(false);
  });

  test("verifies when both users claim at once", () => {
    const both = addToken(waiting, { ...token, secret: "own" });
    const { record, verified } = check(both, proofBy(bob), { makerOf, answers: "own" });
    expect(verified).toBe(true);
    expect(isPending(record, "Bob", now)).toBe(false);
  });
});

test("removals count that a user shows at the first meeting", () => {
  const { record } = check(recordOf(), proofBy(bob, { removed: [half(bobsPhone)] }));
  expect(check(record, proofBy(bob, { chain: chainTo(bobsPhone) }))).toMatchObject(refused);
});

test("a device that has been removed cannot remove others", () => {
  const removing = proofBy(bob, { removed: [half(bobsPhone)] });
  const record = check(knowing(), removing).record;
  const verdict = check(record, proofBy(bob, { chain: chainTo(bobsPhone), removed: [half(22)] }));
  expect(verdict).toMatchObject(refused);
  expectUnchanged(verdict, record);
  expect(check(record, proofBy(bob, { chain: chainTo(22) })).verified).toBe(true);
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
    expect(userOf(first, "Bob").introduction).toEqual({
      ...{ by: idOf(bob), about: idOf(own), time: 5, chain: toChain() },
      introduction: toBase64Url(writeIntroduction({ ...issued, time: 5 })),
    });
    expect(userOf(keep(first, 6), "Bob").introduction!.time).toBe(6);
    expectUnchanged({ record: keep(first, 5) }, first);
    expectUnchanged({ record: keep(first, 4) }, first);
    expect(userOf(keep(recordOf(), 5), "Bob")).toMatchObject({ seen: idOf(bob), introduction: { time: 5 } });
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
    expect(userOf(moved, "Bob").introduction).toBe(userOf(first, "Bob").introduction);
    expect(userOf(check(moved, issuing(5, 22), { issues: true }).record, "Bob").introduction!.time).toBe(5);
    const joined = { ...first, account: idOf(9) };
    expect(userOf(check(joined, issuing(5), { issues: true }).record, "Bob").introduction!.time).toBe(5);
  });
});

describe("the users that nobody has verified", () => {
  const maxUnverified = 1_024;
  const keyOfUser = (index: number) =>
    new Uint8Array(32)
      .fill(5, 2)
      .with(0, index % 256)
      .with(1, index >> 8);

  /** A server names this many users, each with a key of its own. */
  function meetMany(record: IdentityRecord, count: number): IdentityRecord {
    let known = record;
    for (let index = 0; index < count; index++) {
      known = check(known, proofBy(0, { account: keyOfUser(index) }), { alias: `user ${index}` }).record;
    }
    return known;
  }

  test("are limited: the one that has changed longest ago is forgotten", () => {
    const full = meetMany(recordOf(), maxUnverified);
    expect(full.users).toHaveLength(maxUnverified);
    const next = check(full, proofBy(bob)).record;
    expect(next.users).toHaveLength(maxUnverified);
    expect(userOf(next, "user 0").seen).toBeUndefined();
    expect(userOf(next, "user 1").seen).toBeDefined();
    expect(userOf(next, "Bob").seen).toBe(idOf(bob));
  });

  test("never displace a verified one", () => {
    const full = meetMany(knowing(), maxUnverified + 1);
    expect(userOf(full, "Bob").certain).toBe(idOf(bob));
    expect(full.users).toHaveLength(maxUnverified + 1);
  });

  test("take what is known of their removed devices with them, unlike a user whose trust has ended", () => {
    const removing = (account: number) => proofBy(account, { removed: [half(bobsPhone)] });
    const ended = endTrust(check(knowing(), removing(bob)).record, "Bob");
    const seen = check(check(ended, proofBy(eve)).record, removing(eve)).record;
    const changed = check(seen, proofBy(40)).record;
    const again = check(check(changed, proofBy(41)).record, removing(41)).record;
    const accounts = (record: IdentityRecord) => record.removed.map(({ account }) => account);
    expect(accounts(again)).toEqual([bob, eve, 41].map(idOf));
    const other = check(check(again, proofBy(42)).record, removing(42)).record;
    expect(accounts(other)).toEqual([bob, eve, 42].map(idOf));
  });
});
