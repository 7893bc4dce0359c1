import { type Bytes, concat, fromBase64Url, toBase64Url } from "../bytes.ts";
import { createLazyPart } from "../lazy-part.ts";
import { storeError } from "./key-store.ts";

/** A key pair. Nothing here reveals the private half. */
export interface SigningKey {
  readonly publicKey: Bytes;
  sign(...parts: readonly Uint8Array[]): Promise<Bytes>;
}

/** A key pair as a key store keeps it. A `CryptoKey` can be used and not be read; a seed is 32 bytes in base64url. */
export interface StoredKey {
  readonly publicKey: string;
  readonly privateKey: CryptoKey | string;
}

/** Ed25519 (RFC 8032), SHA-256 and HMAC: of the platform, or in JavaScript where the platform lacks a part. */
export interface Algorithms {
  /** Makes a key pair whose private half scripts cannot read. Undefined where keys are seeds. */
  readonly generate?: () => Promise<StoredKey>;
  /** The key pair of a seed of 32 bytes. */
  fromSeed(seed: Uint8Array): Promise<SigningKey>;
  fromCryptoKey(publicKey: Bytes, privateKey: CryptoKey): SigningKey;
  /** Callers refuse weak keys first, see {@link isWeakKey}. A message may be a promise, so that the key is read meanwhile. */
  verify(publicKey: Uint8Array, signature: Uint8Array, message: Bytes | Promise<Bytes>): Promise<boolean>;
  hash(...parts: readonly Uint8Array[]): Promise<Bytes>;
  hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Promise<Bytes>;
}

// The bytes of a PKCS #8 private key without its public half (RFC 8410) that precede the seed.
const pkcs8Prefix = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32);
const ed25519 = "Ed25519";

/**
 * Returns the platform's algorithms, or loads those in JavaScript: on pages that are no secure context, such as http
 * pages of a LAN, there is no `crypto.subtle`, and Chrome has Ed25519 from 137 on.
 */
export async function loadAlgorithms(): Promise<Algorithms> {
  try {
    const { subtle } = crypto;
    await subtle.generateKey(ed25519, false, ["sign"]);
    return createPlatformAlgorithms(subtle);
  } catch {
    // There is no `crypto.subtle`, or it lacks Ed25519.
  }
  const fallback = createLazyPart(() => import("./fallback-algorithms.ts"));
  await fallback.load();
  return fallback.loaded!.createFallbackAlgorithms();
}

/** The algorithms of WebCrypto. */
export function createPlatformAlgorithms(subtle: SubtleCrypto): Algorithms {
  function fromCryptoKey(publicKey: Bytes, privateKey: CryptoKey): SigningKey {
    return {
      publicKey,
      sign: async (...parts) => new Uint8Array(await subtle.sign(ed25519, privateKey, concat(...parts))),
    };
  }

  return {
    async generate() {
      const { publicKey, privateKey } = (await subtle.generateKey(ed25519, false, ["sign"])) as CryptoKeyPair;
      return { publicKey: toBase64Url(new Uint8Array(await subtle.exportKey("raw", publicKey))), privateKey };
    },
    async fromSeed(seed) {
      const key = await subtle.importKey("pkcs8", concat(pkcs8Prefix, seed), ed25519, true, ["sign"]);
      const { x } = await subtle.exportKey("jwk", key);
      return fromCryptoKey(fromBase64Url(x!)!, key);
    },
    fromCryptoKey,
    async verify(publicKey, signature, message) {
      // Some platforms throw where the bytes are no key.
      const importing = subtle.importKey("raw", concat(publicKey), ed25519, false, ["verify"]).catch(() => undefined);
      const bytes = await message;
      const key = await importing;
      return key !== undefined && subtle.verify(ed25519, key, concat(signature), bytes).catch(() => false);
    },
    hash: async (...parts) => new Uint8Array(await subtle.digest("SHA-256", concat(...parts))),
    async hmac(secret, ...parts) {
      const key = await subtle.importKey("raw", concat(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
      return new Uint8Array(await subtle.sign("HMAC", key, concat(...parts)));
    },
  };
}

/** Returns the key pair that a store has kept. */
export async function openKey(algorithms: Algorithms, { publicKey, privateKey }: StoredKey): Promise<SigningKey> {
  const key = fromBase64Url(publicKey)!;
  if (typeof privateKey !== "string") return algorithms.fromCryptoKey(key, privateKey);
  const seed = fromBase64Url(privateKey);
  if (seed?.length !== 32) throw storeError(new Error("The stored key is damaged. Delete this site's data."));
  return algorithms.fromSeed(seed);
}

/** Makes a key pair as a seed, which every store can keep. */
export async function generateSeed(algorithms: Algorithms): Promise<StoredKey> {
  const seed = randomBytes(32);
  const { publicKey } = await algorithms.fromSeed(seed);
  return { publicKey: toBase64Url(publicKey), privateKey: toBase64Url(seed) };
}

/** Returns `length` random bytes. */
export function randomBytes(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}

// The points of small order, as libsodium lists them, without the sign bit. Chromium 156 and Firefox 153 accept forged
// signatures under these keys.
const smallOrder: ReadonlySet<string> = new Set([
  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU",
  "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o",
  "7P_______________________________________38",
  "7f_______________________________________38",
  "7v_______________________________________38",
]);

/** Whether a public key has small order, so that anybody can sign for it. */
export function isWeakKey(publicKey: Uint8Array): boolean {
  return smallOrder.has(toBase64Url(publicKey.map((byte, index) => (index === 31 ? byte & 127 : byte))));
}
