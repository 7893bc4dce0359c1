import type { Bytes } from "../../bytes.ts";
import { BonevalueError } from "../../errors.ts";

/** How many records one key encrypts. */
export const maxRecords: number = 2 ** 32;

/** The bytes that encryption adds to a record. */
export const overhead = 16;

/** Encrypts or decrypts the next record of one direction. To be called in the order of the records. It copies the record at once. */
export type RecordCipher = (record: Bytes) => Promise<Bytes>;

/** Encrypts records with AES-256-GCM. Rejects with `disconnected` after 2³² records: the key must not be used again. */
export function createEncryption(key: CryptoKey, first = 0): RecordCipher {
  const nextNonce = createNonces(first);
  return async (record) =>
    new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv: nextNonce() }, key, record));
}

/** Decrypts records. Rejects with `protocol` for anything but the next record that the other side has encrypted. */
export function createDecryption(key: CryptoKey, first = 0): RecordCipher {
  const nextNonce = createNonces(first);
  return async (record) => {
    const iv = nextNonce();
    try {
      return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, record));
    } catch (cause) {
      throw new BonevalueError("protocol", "The relay has altered, repeated or reordered what the peer sent.", {
        cause,
      });
    }
  };
}

/** The nonces are the numbers of the records, so none is used twice, and a record is valid in one place only. */
function createNonces(first: number): () => Bytes {
  let next = first;
  return () => {
    if (next === maxRecords) throw new BonevalueError("disconnected", "The keys of the link are used up. Call again.");
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setUint32(8, next++);
    return nonce;
  };
}
