import { expect } from "vitest";
import { type Bytes, toBase64Url } from "../../bytes.ts";
import { judge } from "../judge.ts";
import { type Approval, halfOf, type Proof } from "../proof.ts";
import { type ClaimedToken, certify, createRecord, type IdentityRecord, type MadeToken } from "../record.ts";
import type { Evidence, Verdict } from "../verdict.ts";

// Records, proofs and verdicts for tests. Keys are named by their first byte.

export const keyOf = (byte: number): Bytes => new Uint8Array(32).fill(byte);
export const idOf = (byte: number): string => toBase64Url(keyOf(byte));
export const half = (byte: number): Bytes => halfOf(keyOf(byte));
export const signature: Bytes = new Uint8Array(64);
export const name: Bytes = new Uint8Array(16);

// Keys by the first byte.
export const own = 10;
export const bob = 20;
export const bobsPhone = 21;
export const eve = 30;

export const now = 1_000_000_000_000;
export const day: number = 24 * 60 * 60 * 1_000;

export function recordOf(device: number = own): IdentityRecord {
  return createRecord({ publicKey: idOf(device), privateKey: "" });
}

export function proofBy(account: number, parts: Partial<Proof> = {}): Proof {
  const empty = { body: new Uint8Array(), signature };
  return { account: keyOf(account), chain: [], single: false, removed: [], ...empty, ...parts };
}

export const chainTo = (...devices: number[]): Approval[] =>
  devices.map((device) => ({ key: keyOf(device), signature }));

/** Judges a proof of Bob. */
export const check = (record: IdentityRecord, proof: Proof | undefined, evidence: Partial<Evidence> = {}): Verdict =>
  judge(record, { alias: "Bob", now, proof, ...evidence });

export const token: MadeToken = { alias: "Bob", secret: "s", until: now + 1 };
export const claim: ClaimedToken = { ...token, binding: "b", answered: false };
export const knowing = (account: number = bob, since: number = now - day): IdentityRecord =>
  certify(recordOf(), "Bob", idOf(account), since);
export const refused: object = { verified: false, refusal: expect.objectContaining({ code: "identity-mismatch" }) };

/** A record that has no name in common with the objects that judging returned. */
export function expectUnchanged({ record }: { record: IdentityRecord }, before: IdentityRecord): void {
  expect(record).toBe(before);
}

/** An approval chain as records keep it. */
export function toChain(...devices: number[]): string {
  return toBase64Url(
    Uint8Array.of(devices.length, ...chainTo(...devices).flatMap(({ key, signature }) => [...key, ...signature])),
  );
}
