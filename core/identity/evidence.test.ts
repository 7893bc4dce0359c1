import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { toBase64Url } from "../bytes.ts";
import { createPlatformAlgorithms } from "./algorithms.ts";
import { bodyFor, evidenceOf } from "./evidence.ts";
import {
  type Approval,
  approve,
  hashAlias,
  introduce,
  isApproved,
  isIntroduced,
  type Proof,
  readIntroduction,
  writeChain,
  writeIntroduction,
} from "./proof.ts";
import { certify, createRecord, type IdentityRecord } from "./record.ts";
import { claimOf } from "./tokens.ts";
import { createTokenPart, readTokenPart } from "./user-changes.ts";

const algorithms = createPlatformAlgorithms(crypto.subtle);
const keyOf = (seed: number) => algorithms.fromSeed(new Uint8Array(32).fill(seed));
const [ann, annsPhone, bob, bobsPhone, eve] = [
  await keyOf(1),
  await keyOf(2),
  await keyOf(3),
  await keyOf(4),
  await keyOf(5),
];
const forged = new Uint8Array(64);
const now = 1_000_000_000_000;
const secret = new Uint8Array(16).fill(7);
const record = createRecord({ publicKey: toBase64Url(ann.publicKey), privateKey: "" });
const knowsBob = certify(record, "Bob", toBase64Url(bob.publicKey), 5);
const token = { alias: "Bob", secret: toBase64Url(secret), until: now + 1 };
const claimed = { ...token, binding: toBase64Url(new Uint8Array(8)), answered: true };

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now }));
afterEach(() => void vi.useRealTimers());

describe("what a proof says", () => {
  const say = (own: IdentityRecord, alias = "Bob", peerDevice?: typeof bob.publicKey) =>
    bodyFor(algorithms, { record: own, key: ann }, alias, peerDevice);

  test("to a stranger, only who this device is", async () => {
    expect(await say(record)).toEqual({ account: ann.publicKey, chain: [], single: true, removed: [] });
  });

  test("to a verified user, who the user is, and what this user's other devices should know", async () => {
    const { to, issued, single } = await say(knowsBob);
    expect(single).toBe(false);
    expect(to).toEqual(bob.publicKey);
    expect(issued).toMatchObject({ time: 5, name: await hashAlias(algorithms, ann.publicKey, "Bob") });
    expect(await isIntroduced(algorithms, ann.publicKey, ann.publicKey, bob.publicKey, issued!)).toBe(true);
  });

  test("to a verified user whose token waits, not who the user is", async () => {
    const { to, issued } = await say({ ...knowsBob, tokens: [token] });
    expect([to, issued]).toEqual([undefined, undefined]);
  });

  test("the answer to a claimed token of this name, until it expires", async () => {
    const keys = { account: ann.publicKey, device: ann.publicKey };
    expect((await say({ ...record, claims: [claimed] })).claim).toEqual(await claimOf(algorithms, secret, 0, keys));
    for (const other of [
      { ...claimed, alias: "Carol" },
      { ...claimed, until: now },
    ])
      expect((await say({ ...record, claims: [other] })).claim).toBeUndefined();
  });

  test("the approval of a device that joins, unless the own chain is full", async () => {
    const joining = { ...record, joining: [toBase64Url(annsPhone.publicKey)] };
    const { approval } = await say(joining, "Us", annsPhone.publicKey);
    expect(await isApproved(algorithms, ann.publicKey, ann.publicKey, annsPhone.publicKey, approval!)).toBe(true);
    expect((await say(joining, "Bob", annsPhone.publicKey)).approval).toBeUndefined();
    expect((await say(joining, "Us", eve.publicKey)).approval).toBeUndefined();
    expect((await say(joining, "Us")).approval).toBeUndefined();
    for (const [length, approves] of [
      [7, true],
      [8, false],
    ] as const) {
      const chain = toBase64Url(writeChain(Array.from({ length }, () => ({ key: ann.publicKey, signature: forged }))));
      const { approval: given } = await say({ ...joining, chain }, "Us", annsPhone.publicKey);
      expect(given !== undefined).toBe(approves);
    }
  });

  test("the introduction that the user has signed about this account, and not about a former one", async () => {
    const about = (account: string): IdentityRecord => ({
      ...record,
      users: [
        {
          alias: "Bob",
          seen: toBase64Url(bob.publicKey),
          introduction: {
            by: toBase64Url(bob.publicKey),
            about: account,
            time: 3,
            chain: toBase64Url(writeChain([])),
            introduction: toBase64Url(writeIntroduction({ time: 3, name: new Uint8Array(16), signature: forged })),
          },
        },
      ],
    });
    const { presented } = await say(about(record.account));
    expect(presented).toEqual({ chain: [], ...readIntroduction(writeIntroduction(presented!)) });
    expect(presented!.time).toBe(3);
    expect((await say(about(toBase64Url(eve.publicKey)))).presented).toBeUndefined();
  });

  test("the newest 32 removed devices", async () => {
    const keys = Array.from({ length: 33 }, (_, index) => toBase64Url(new Uint8Array(16).fill(index)));
    const { removed } = await say({ ...record, removed: [{ account: record.account, keys }] });
    expect(removed.map(toBase64Url)).toEqual(keys.slice(1));
  });
});

describe("what a proof shows", () => {
  const proofBy = (parts: Partial<Proof> = {}): Proof => ({
    ...{ account: bob.publicKey, chain: [], single: false, removed: [] },
    ...{ body: new Uint8Array(), signature: forged, ...parts },
  });
  const see = (own: IdentityRecord, parts: Partial<Proof> = {}, alias = "Bob") =>
    evidenceOf(algorithms, own, alias, proofBy(parts), undefined);

  test("without one, nothing but the name", async () => {
    expect(await evidenceOf(algorithms, record, "Bob", undefined, undefined)).toEqual({ alias: "Bob", now });
  });

  test("the answer to the own token of this name", async () => {
    const waiting = { ...record, tokens: [token] };
    const keys = { account: bob.publicKey, device: bob.publicKey };
    const claim = await claimOf(algorithms, secret, 0, keys);
    expect(await see(waiting, { claim })).toMatchObject({ answers: token.secret });
    expect(await see({ ...record, tokens: [{ ...token, alias: "Us" }] }, { claim }, "Us")).toMatchObject({
      answers: undefined,
    });
    const linking = await claimOf(algorithms, secret, 1, keys);
    for (const wrong of [linking, await claimOf(algorithms, secret, 0, { ...keys, device: eve.publicKey }), undefined])
      expect((await see(waiting, { claim: wrong })).answers).toBeUndefined();
    expect((await see({ ...record, tokens: [{ ...token, alias: "Carol" }] }, { claim })).answers).toBeUndefined();
  });

  test("the maker of the token that was claimed as this name", async () => {
    const { text } = await createTokenPart(algorithms, 0, bob.publicKey, secret);
    const { binding } = readTokenPart(`.${text}`)!;
    const claim = { ...claimed, binding: toBase64Url(binding) };
    expect((await see({ ...record, claims: [claim] })).makerOf).toBe(token.secret);
    expect((await see({ ...record, claims: [claim] }, { account: eve.publicKey })).makerOf).toBeUndefined();
    expect((await see({ ...record, claims: [claimed] })).makerOf).toBeUndefined();
    expect((await see({ ...record, claims: [{ ...claim, alias: "Carol" }] })).makerOf).toBeUndefined();
  });

  test("an approval of this device by the peer's", async () => {
    const approval = await approve(bob, bob.publicKey, ann.publicKey);
    expect((await see(record, { approval }, "Us")).approves).toBe(true);
    expect((await see(record, { approval: forged }, "Us")).approves).toBe(false);
    expect((await see(record, {}, "Us")).approves).toBeFalsy();
    const others = await approve(bob, bob.publicKey, eve.publicKey);
    expect((await see(record, { approval: others }, "Us")).approves).toBe(false);
  });

  test("an introduction of this account, which the peer has signed", async () => {
    const name = await hashAlias(algorithms, bob.publicKey, "Ann");
    const about = (other: typeof ann.publicKey) => introduce(bob, { account: bob.publicKey, other, name, time: 3 });
    expect((await see(record, { issued: await about(ann.publicKey) })).issues).toBe(true);
    expect((await see(record, { issued: await about(eve.publicKey) })).issues).toBe(false);
    expect((await see(record, { issued: { time: 3, name, signature: forged } })).issues).toBe(false);
    expect((await see(record)).issues).toBeFalsy();
  });

  test("an introduction of the peer, which another device of the own account has signed", async () => {
    const phone: Approval = {
      key: annsPhone.publicKey,
      signature: await approve(ann, ann.publicKey, annsPhone.publicKey),
    };
    const called = (alias: string, other = bob.publicKey) =>
      hashAlias(algorithms, ann.publicKey, alias).then((name) =>
        introduce(annsPhone, { account: ann.publicKey, other, name, time: 3 }),
      );
    const introduced = async (presented: Proof["presented"]) => (await see(record, { presented })).introduces;
    const valid = await called("Bob");
    expect(await introduced({ chain: [phone], ...valid })).toBe(true);
    expect(await introduced({ chain: [phone], ...(await called("Carol")) })).toBe(false);
    expect(await introduced({ chain: [phone], ...(await called("Bob", eve.publicKey)) })).toBe(false);
    expect(await introduced({ chain: [phone], ...valid, signature: forged })).toBe(false);
    expect(await introduced({ chain: [{ ...phone, signature: forged }], ...valid })).toBe(false);
    expect(await introduced({ chain: [], ...valid })).toBe(false);
    expect(await introduced(undefined)).toBe(false);
  });

  test("the account that the app's directory names, which is not asked for the own devices", async () => {
    const accountOf = vi.fn(() => "account");
    const ask = (alias: string) => evidenceOf(algorithms, record, alias, proofBy(), accountOf);
    expect(await ask("Us")).toMatchObject({ expected: undefined });
    expect(accountOf).not.toHaveBeenCalled();
    expect(await ask("Bob")).toMatchObject({ expected: "account" });
    const cause = new Error("The directory is down.");
    const failing = evidenceOf(algorithms, record, "Bob", undefined, () => Promise.reject(cause));
    await expect(failing).rejects.toMatchObject({ code: "identity-mismatch", cause });
  });

  test("of a device of the peer, what that device has signed", async () => {
    const chain = [{ key: bobsPhone.publicKey, signature: await approve(bob, bob.publicKey, bobsPhone.publicKey) }];
    const approval = await approve(bobsPhone, bob.publicKey, ann.publicKey);
    expect((await see(record, { chain, approval }, "Us")).approves).toBe(true);
  });
});
