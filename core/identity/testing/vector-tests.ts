import { describe, expect, test } from "vitest";
import { type Bytes, concat, fromBase64Url, toBase64Url } from "../../bytes.ts";
import { descriptionBytes } from "../../transport/description-bytes.ts";
import type { RelayDescription } from "../../transport/transport.ts";
import { type Algorithms, isWeakKey, type SigningKey } from "../algorithms.ts";
import {
  approve,
  createProof,
  hashAlias,
  hashDescription,
  hashOffer,
  introduce,
  isApproved,
  isIntroduced,
  type LinkContext,
  linkMessage,
  type Proof,
  type ProofBody,
  readProof,
  verifyProof,
  writeBody,
  writeIntroduction,
} from "../proof.ts";
import { claimOf, deriveAccount, deriveRoom, isMadeBy, safetyHalvesOf, safetyNumberOf } from "../tokens.ts";
import { createTokenPart, readTokenPart } from "../user-changes.ts";
import { vector } from "./vectors.ts";

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const fromHex = (text: string): Bytes => Uint8Array.from(text.match(/../g)!, (byte) => Number.parseInt(byte, 16));
const filled = (byte: number, length: number): Bytes => new Uint8Array(length).fill(byte);

const offer = "v=0\r\n";
const answer = "v=0\r\ns=-\r\n";
const ids = { from: "0f1e2d3c4b5a69788796a5b4c3d2e1f0", to: "00112233445566778899aabbccddeeff" };
const back = { from: ids.to, to: ids.from };

/** Tests every vector of docs/protocol.md with one implementation of the algorithms. */
export function testVectors(name: string, load: () => Promise<Algorithms>): void {
  describe(name, () => defineTests(load));
}

function defineTests(load: () => Promise<Algorithms>): void {
  async function setUp() {
    const algorithms = await load();
    const [laptop, phone, bob] = (await Promise.all(
      [1, 2, 3].map((seed) => algorithms.fromSeed(filled(seed, 32))),
    )) as [SigningKey, SigningKey, SigningKey];
    const account = laptop.publicKey;
    const signature = await approve(laptop, account, phone.publicKey);
    const chain = [{ key: phone.publicKey, signature }];
    const empty = { single: false, removed: [] };
    const offered: ProofBody = { ...empty, account, chain, to: bob.publicKey };
    const own = await hashDescription(algorithms, { sdp: offer });
    const context: LinkContext = { role: "caller", app: "", ...ids, own };
    return { algorithms, laptop, phone, bob, account, chain, empty, offered, own, context };
  }

  test("keys are derived from seeds and secrets", async () => {
    const { algorithms, laptop, phone, bob } = await setUp();
    expect(hex(laptop.publicKey)).toBe(vector("Ann's account, the key of the seed 01…01"));
    expect(hex(phone.publicKey)).toBe(vector("her phone's device key, seed 02…02"));
    expect(hex(bob.publicKey)).toBe(vector("Bob's account, seed 03…03"));
    const secret = filled(5, 16);
    const user = await deriveAccount(algorithms, secret, 0, "ann");
    const room = await deriveAccount(algorithms, secret, 1, "ann");
    expect(hex(user.publicKey)).toBe(vector(`account of the user "ann" from the secret 05…05`));
    expect(hex(room.publicKey)).toBe(vector(`account of the room "ann" from the same secret`));
    expect(await deriveRoom(algorithms, secret)).toBe(vector("name of a room, derived from the same secret"));
  });

  test("approvals and introductions have the signatures of the vectors", async () => {
    const { algorithms, laptop, phone, bob, account } = await setUp();
    const approval = fromHex(vector("approval of the phone by the laptop"));
    expect(await isApproved(algorithms, account, account, phone.publicKey, approval)).toBe(true);
    expect(await isApproved(algorithms, account, account, bob.publicKey, approval)).toBe(false);

    const time = Date.parse("2026-01-01T00:00:00Z");
    const alias = await hashAlias(algorithms, account, "Bob");
    const introduction = await introduce(laptop, { account, other: bob.publicKey, name: alias, time });
    const expected = vector(`introduction of Bob, called "Bob", by Ann's laptop, 2026-01-01T00:00:00Z`);
    expect(hex(writeIntroduction(introduction)).slice(0, 48)).toBe(expected.slice(0, 48));
    const signature = fromHex(expected.slice(48));
    expect(await isIntroduced(algorithms, account, account, bob.publicKey, { time, name: alias, signature })).toBe(
      true,
    );
    expect(await isIntroduced(algorithms, account, account, account, { time, name: alias, signature })).toBe(false);
  });

  test("tokens and claims", async () => {
    const { algorithms, phone, bob, account } = await setUp();
    const secret = filled(4, 16);
    const userToken = vector("clients' part of Ann's token for a user, secret 04…04");
    const linkingCode = vector("Ann's linking code, of the same secret");
    expect((await createTokenPart(algorithms, 0, account, secret)).text).toBe(userToken);
    expect(`.${(await createTokenPart(algorithms, 1, account, secret)).text}`).toBe(linkingCode);
    const part = readTokenPart(linkingCode)!;
    expect(await isMadeBy(algorithms, part, 1, account)).toBe(true);
    expect(await isMadeBy(algorithms, part, 0, account)).toBe(false);
    expect(await isMadeBy(algorithms, part, 1, bob.publicKey)).toBe(false);

    const device = bob.publicKey;
    expect(hex(await claimOf(algorithms, secret, 0, { account: device, device }))).toBe(
      vector("Bob's claim of the token"),
    );
    const alone = { account: phone.publicKey, device: phone.publicKey };
    expect(hex(await claimOf(algorithms, secret, 1, alone))).toBe(
      vector("the phone's claim of the linking code, while it is an account of its own"),
    );
  });

  test("the safety number is the same on both sides", async () => {
    const { algorithms, account, bob } = await setUp();
    const expected = vector("safety number of Ann and Bob");
    const [own, other] = [account, bob.publicKey].map(toBase64Url) as [string, string];
    const halves = await safetyHalvesOf(algorithms, [own, other], new Map());
    expect(safetyNumberOf(halves, own, other)).toBe(expected);
    expect(safetyNumberOf(halves, other, own)).toBe(expected);
  });

  test("an offer and its answer are signed and verified", async () => {
    const { algorithms, bob, empty, offered, own, context } = await setUp();
    expect(hex(own)).toBe(vector(`hash of the SDP "v=0\\r\\n"`));
    expect(hex(linkMessage(writeBody(offered), context))).toBe(
      vector(`what the phone signs for an offer with the SDP "v=0\\r\\n"`),
    );
    const proof = readProof(vector("the phone's proof"));
    expect(proof).toMatchObject(offered);
    await verifyProof(algorithms, proof, context);

    const answered = await hashOffer(algorithms, own, fromBase64Url(vector("the phone's proof"))!);
    expect(hex(answered)).toBe(vector("hash of the offer and its proof"));
    const device = bob.publicKey;
    const claim = await claimOf(algorithms, filled(4, 16), 0, { account: device, device });
    const replied: ProofBody = { ...empty, account: device, chain: [], claim };
    const reply: LinkContext = {
      role: "callee",
      app: "",
      ...back,
      own: await hashDescription(algorithms, { sdp: answer }),
      answered,
    };
    expect(hex(linkMessage(writeBody(replied), reply))).toBe(
      vector(`what Bob signs for his answer, with the SDP "v=0\\r\\ns=-\\r\\n" and the claim`),
    );
    const bobsProof = readProof(vector("Bob's proof"));
    expect(bobsProof).toMatchObject(replied);
    await verifyProof(algorithms, bobsProof, reply);
  });

  test("a proof that was just made is read back and verified", async () => {
    const { algorithms, phone, offered, context } = await setUp();
    const proof = await createProof(phone, offered, context);
    const read = readProof(toBase64Url(proof));
    expect(read).toMatchObject(offered);
    await verifyProof(algorithms, read, context);
  });

  test("each part of the signed text counts", async () => {
    const { algorithms, context } = await setUp();
    const proof = readProof(vector("the phone's proof"));
    const others: Partial<LinkContext>[] = [
      { role: "callee" },
      { app: "chess" },
      { from: back.from },
      { to: back.to },
      { own: await hashDescription(algorithms, { sdp: answer }) },
      { answered: filled(1, 32) },
    ];
    for (const other of others) {
      await expect(verifyProof(algorithms, proof, { ...context, ...other })).rejects.toMatchObject({
        code: "identity-mismatch",
      });
    }
    const bodies: Partial<Proof>[] = [{ body: concat(proof.body, Uint8Array.of(0)) }, { chain: [] }];
    for (const other of bodies) {
      await expect(verifyProof(algorithms, { ...proof, ...other }, context)).rejects.toMatchObject({
        code: "identity-mismatch",
      });
    }
  });

  test("a chain that a stranger has signed is refused, although the device has signed the description", async () => {
    const { algorithms, bob, phone, account, offered, context } = await setUp();
    const chain = [{ key: phone.publicKey, signature: await approve(bob, account, phone.publicKey) }];
    const proof = readProof(toBase64Url(await createProof(phone, { ...offered, chain }, context)));
    await expect(verifyProof(algorithms, proof, context)).rejects.toMatchObject({ code: "identity-mismatch" });
  });

  test("a proof with all parts is read part by part", async () => {
    const { algorithms, bob, offered, context } = await setUp();
    const text = vector(
      `a proof with all parts, for the same offer in the app "chess" (the parts do not belong together)`,
    );
    const proof = readProof(text);
    await verifyProof(algorithms, proof, { ...context, app: "chess" });
    const { account, chain } = offered;
    expect(proof).toMatchObject({ account, chain, single: true, to: bob.publicKey });
    expect(hex(proof.claim!)).toBe(vector("Bob's claim of the token"));
    expect(hex(proof.approval!)).toBe(vector("approval of the phone by the laptop"));
    const introduction = vector(`introduction of Bob, called "Bob", by Ann's laptop, 2026-01-01T00:00:00Z`);
    expect(hex(writeIntroduction(proof.issued!))).toBe(introduction);
    expect(hex(writeIntroduction(proof.presented!))).toBe(introduction);
    expect(proof.presented!.chain).toEqual(proof.chain);
    expect(proof.removed).toEqual([bob.publicKey.subarray(0, 16)]);
    expect(toBase64Url(concat(writeBody(proof), proof.signature))).toBe(text);
  });

  test("a relayed link's key is hashed with its algorithm", async () => {
    const { algorithms } = await setUp();
    const key: RelayDescription = { algorithm: "X25519", publicKey: toBase64Url(filled(6, 32)) };
    expect(hex(descriptionBytes(key))).toBe(vector("what is hashed of a relayed link's X25519 key 06…06"));
    expect(hex(await hashDescription(algorithms, key))).toBe(vector("hash of these bytes"));
  });

  test("a proof of a relayed link's key counts for this key and algorithm only, and for no SDP", async () => {
    const { algorithms, phone, offered, context } = await setUp();
    const key: RelayDescription = { algorithm: "X25519", publicKey: toBase64Url(filled(6, 32)) };
    const own = await hashDescription(algorithms, key);
    const proof = readProof(toBase64Url(await createProof(phone, offered, { ...context, own })));
    await verifyProof(algorithms, proof, { ...context, own });
    const others: Parameters<typeof descriptionBytes>[0][] = [
      { ...key, publicKey: toBase64Url(filled(7, 32)) },
      { ...key, algorithm: "P-256" },
      { sdp: `\0\u0006X25519${"\u0006".repeat(32)}` },
    ];
    for (const other of others) {
      const changed = { ...context, own: await hashDescription(algorithms, other) };
      await expect(verifyProof(algorithms, proof, changed)).rejects.toMatchObject({ code: "identity-mismatch" });
    }
  });

  test("no signature verifies under a key of small order", async () => {
    const { algorithms } = await setUp();
    const keys = [...smallOrderKeys].flatMap((key) => [fromHex(key), withHighBit(fromHex(key))]);
    for (const key of keys) expect(isWeakKey(key)).toBe(true);
    expect(isWeakKey((await algorithms.fromSeed(filled(1, 32))).publicKey)).toBe(false);
  });
}

const smallOrderKeys = `
0000000000000000000000000000000000000000000000000000000000000000
0100000000000000000000000000000000000000000000000000000000000000
26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05
c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a
ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f`
  .trim()
  .split("\n");

function withHighBit(key: Bytes): Bytes {
  key[31]! |= 128;
  return key;
}
