import { expect, onTestFinished, test, vi } from "vitest";
import { fromBase64Url, toBase64Url } from "../bytes.ts";
import { createPlatformAlgorithms, loadAlgorithms, openKey } from "./algorithms.ts";
import { createFallbackAlgorithms } from "./fallback-algorithms.ts";
import {
  approve,
  hashDescription,
  isChainSigned,
  maxChainLength,
  maxListedRemovals,
  type ProofBody,
  readProof,
  writeBody,
} from "./proof.ts";
import { testVectors } from "./testing/vector-tests.ts";
import { vector } from "./testing/vectors.ts";
import { readTokenPart } from "./user-changes.ts";

testVectors("WebCrypto in Node", async () => createPlatformAlgorithms(crypto.subtle));
testVectors("@noble in Node", async () => createFallbackAlgorithms());

const key = (byte: number) => new Uint8Array(32).fill(byte + 40);
const signature = new Uint8Array(64).fill(7);
const introduction = { time: 1, name: new Uint8Array(16), signature };

function proofOf(body: Partial<ProofBody>, tail = signature): string {
  const whole = writeBody({ account: key(0), chain: [], single: false, removed: [], ...body });
  return toBase64Url(Uint8Array.of(...whole, ...tail));
}

const chainOf = (length: number) => Array.from({ length }, (_, index) => ({ key: key(index + 1), signature }));
const removals = (length: number) => Array.from({ length }, (_, index) => new Uint8Array(16).fill(index + 100));
const largest: ProofBody = {
  account: key(0),
  chain: chainOf(maxChainLength),
  to: key(20),
  single: true,
  claim: new Uint8Array(16),
  approval: signature,
  issued: introduction,
  presented: { ...introduction, chain: chainOf(maxChainLength) },
  removed: removals(maxListedRemovals),
};

test.for([
  ["of a first device, to a stranger", {}, 132],
  [
    "of a first device, to a friend",
    { to: key(9), issued: introduction, presented: { ...introduction, chain: [] } },
    411,
  ],
  ["the largest possible", largest, 3_250],
] as const)("a proof %s has the length that the protocol states", ([, body, length]) => {
  const text = proofOf(body);
  expect(text).toHaveLength(length);
  expect(readProof(text)).toMatchObject(body);
});

test("each device of a chain is approved by the one before it, and by no other", async () => {
  const algorithms = createPlatformAlgorithms(crypto.subtle);
  const [account, phone, tablet] = await Promise.all([1, 2, 3].map((byte) => algorithms.fromSeed(key(byte))));
  const approved = async (by: typeof account, device: typeof account) => ({
    key: device!.publicKey,
    signature: await approve(by!, account!.publicKey, device!.publicKey),
  });
  const isSigned = async (...chain: ReturnType<typeof approved>[]) =>
    isChainSigned(algorithms, account!.publicKey, await Promise.all(chain));
  expect(await isSigned()).toBe(true);
  expect(await isSigned(approved(account, phone), approved(phone, tablet))).toBe(true);
  expect(await isSigned(approved(account, phone), approved(account, tablet))).toBe(false);
  expect(await isSigned(approved(account, phone), approved(tablet, tablet))).toBe(false);
  expect(await isSigned(approved(phone, phone), approved(phone, tablet))).toBe(false);
});

const malformed: Record<string, string> = {
  "no text": "",
  "no base64url": proofOf({}).replace("A", "="),
  "non-zero trailing bits": `${toBase64Url(Uint8Array.of(1)).slice(0, 1)}B`,
  "another version": toBase64Url(fromBase64Url(proofOf({}))!.with(0, 2)),
  "bit 7 set": toBase64Url(fromBase64Url(proofOf({}))!.with(1, 128)),
  "a byte more than its parts": proofOf({}, new Uint8Array(65)),
  "a byte less than its parts": proofOf({}, new Uint8Array(63)),
  "nine approvals": proofOf({ chain: chainOf(9) }),
  "a weak account": proofOf({ account: new Uint8Array(32) }),
  "a weak device": proofOf({ chain: [{ key: new Uint8Array(32), signature }] }),
  "a weak account in `to`": proofOf({ to: new Uint8Array(32) }),
  "a weak device in the chain of an introduction": proofOf({
    presented: { ...introduction, chain: [{ key: new Uint8Array(32), signature }] },
  }),
  "an empty list of removed keys": toBase64Url(Uint8Array.of(1, 64, ...key(0), 0, 0, ...signature)),
  "33 removed keys": proofOf({ removed: removals(33) }),
  "its own account among the removed": proofOf({ removed: [key(0).subarray(0, 16)] }),
  "its own device among the removed": proofOf({ chain: chainOf(2), removed: [key(2).subarray(0, 16)] }),
  "its approver among the removed": proofOf({ chain: chainOf(2), removed: [key(1).subarray(0, 16)] }),
  "a time beyond 2⁵³": toBase64Url(fromBase64Url(proofOf({ issued: introduction }))!.fill(255, 35, 43)),
};

test.for(Object.entries(malformed))("a proof with %s is refused", ([, text]) => {
  expect(() => readProof(text)).toThrow(expect.objectContaining({ code: "identity-mismatch" }));
});

test.for([31, 33, 0])("a token whose clients' part has %d characters is refused", (length) => {
  expect(() => readTokenPart(`abc.${"A".repeat(length)}`)).toThrow(expect.objectContaining({ code: "token-invalid" }));
});

test("a token without a dot has no clients' part", () => {
  expect(readTokenPart("abc")).toBeUndefined();
});

test("texts with lone surrogates are refused", async () => {
  await expect(hashDescription(createFallbackAlgorithms(), { sdp: "v=0\ud800" })).rejects.toThrow(RangeError);
});

test("a key or a signature that makes the platform throw verifies nothing", async () => {
  const failing = () => Promise.reject(new Error("The bytes are no key."));
  const { subtle } = crypto;
  const importKey: SubtleCrypto["importKey"] = subtle.importKey.bind(subtle);
  for (const platform of [{ importKey: failing }, { importKey, verify: failing }])
    expect(await createPlatformAlgorithms(platform as unknown as SubtleCrypto).verify(key(0), signature, key(1))).toBe(
      false,
    );
});

test("in JavaScript, bytes that are no key and keys of small order verify nothing", async () => {
  const { verify } = createFallbackAlgorithms();
  expect(await verify(new Uint8Array(32).fill(255), signature, key(1))).toBe(false);
  expect(await verify(key(0), new Uint8Array(63), key(1))).toBe(false);
  const identityPoint = new Uint8Array(32).with(0, 1);
  const forged = new Uint8Array(64).with(0, 1);
  expect(await verify(identityPoint, forged, key(1))).toBe(false);
});

test("a stored key that this page cannot use, or that is damaged, is reported", async () => {
  const platform = createPlatformAlgorithms(crypto.subtle);
  const { publicKey, privateKey } = await platform.generate!();
  expect((privateKey as CryptoKey).extractable).toBe(false);
  await expect((async () => openKey(createFallbackAlgorithms(), { publicKey, privateKey }))()).rejects.toMatchObject({
    code: "unsupported",
  });
  for (const damaged of ["AAAA", "?"])
    await expect(openKey(platform, { publicKey, privateKey: damaged })).rejects.toMatchObject({ code: "unsupported" });
});

test("where the platform lacks Ed25519, the algorithms in JavaScript are loaded", async () => {
  const generateKey = vi
    .spyOn(crypto.subtle, "generateKey")
    .mockRejectedValue(new DOMException("", "NotSupportedError"));
  onTestFinished(() => generateKey.mockRestore());
  expect((await loadAlgorithms()).generate).toBeUndefined();
});

test("Node has the platform's algorithms; without crypto.subtle those in JavaScript are loaded", async () => {
  expect((await loadAlgorithms()).generate).toBeDefined();
  const { crypto } = globalThis;
  Object.defineProperty(globalThis, "crypto", {
    configurable: true,
    value: { getRandomValues: crypto.getRandomValues },
  });
  try {
    const fallback = await loadAlgorithms();
    expect(fallback.generate).toBeUndefined();
    const { publicKey } = await fallback.fromSeed(new Uint8Array(32).fill(1));
    expect(Buffer.from(publicKey).toString("hex")).toBe(vector("Ann's account, the key of the seed 01…01"));
  } finally {
    Object.defineProperty(globalThis, "crypto", { configurable: true, value: crypto });
  }
});
