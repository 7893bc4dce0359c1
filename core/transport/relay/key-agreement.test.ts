import { expect, onTestFinished, test, vi } from "vitest";
import { fromBase64Url } from "../../bytes.ts";
import { createKeyAgreement } from "./key-agreement.ts";
import { createDecryption, createEncryption, maxRecords } from "./record-cipher.ts";

async function agree() {
  const [caller, callee] = await Promise.all([createKeyAgreement("caller"), createKeyAgreement("callee")]);
  return Promise.all([caller.agree(callee.description), callee.agree(caller.description)]);
}

const record = Uint8Array.from({ length: 100 }, (_, index) => index);

test("what one side encrypts, the other decrypts, in both directions", async () => {
  const [caller, callee] = await agree();
  for (const [from, to] of [
    [caller, callee],
    [callee, caller],
  ] as const) {
    const [encrypt, decrypt] = [createEncryption(from.outgoing), createDecryption(to.incoming)];
    for (let count = 0; count < 3; count++) expect(await decrypt(await encrypt(record))).toEqual(record);
  }
});

test("a record is encrypted as it was at the call", async () => {
  const [{ outgoing }, { incoming }] = await agree();
  const reused = record.slice();
  const encrypted = createEncryption(outgoing)(reused);
  reused.fill(0);
  expect(await createDecryption(incoming)(await encrypted)).toEqual(record);
});

test("each direction and each agreement has a key of its own", async () => {
  const [[caller, callee], [other]] = await Promise.all([agree(), agree()]);
  const encrypted = await Promise.all(
    [caller.outgoing, callee.outgoing, other.outgoing].map((key) => createEncryption(key)(record)),
  );
  expect(new Set(encrypted.map(String)).size).toBe(3);
});

test("a public key is a new point each time, in the format of the protocol", async () => {
  const descriptions = await Promise.all([1, 2].map(async () => (await createKeyAgreement("caller")).description));
  for (const { algorithm, publicKey } of descriptions) {
    expect(algorithm).toBe("P-256");
    const bytes = fromBase64Url(publicKey)!;
    expect([bytes.length, bytes[0]]).toEqual([65, 4]);
  }
  expect(descriptions[0]).not.toEqual(descriptions[1]);
});

test("the keys cannot be read", async () => {
  const [{ outgoing }] = await agree();
  expect(outgoing.extractable).toBe(false);
  await expect(crypto.subtle.exportKey("raw", outgoing)).rejects.toThrow();
});

test("a key encrypts 2³² records, and none after that", async () => {
  const [{ outgoing }, { incoming }] = await agree();
  const encrypt = createEncryption(outgoing, maxRecords - 1);
  const decrypt = createDecryption(incoming, maxRecords - 1);
  expect(await decrypt(await encrypt(record))).toEqual(record);
  await expect(encrypt(record)).rejects.toMatchObject({ code: "disconnected" });
  await expect(decrypt(record)).rejects.toMatchObject({ code: "disconnected" });
});

test("a page without WebCrypto is told that it needs https", async () => {
  vi.stubGlobal("crypto", { getRandomValues: () => {} });
  onTestFinished(() => void vi.unstubAllGlobals());
  await expect(createKeyAgreement("caller")).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringMatching(/https/),
  });
});
