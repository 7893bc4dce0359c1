import { type Bytes, concat, fromBase64Url, label, toBase64Url } from "../../bytes.ts";
import { BonevalueError } from "../../errors.ts";
import { descriptionBytes } from "../description-bytes.ts";
import type { RelayDescription } from "../transport.ts";

// docs/protocol.md, "Relayed links": ephemeral ECDH, then HKDF-SHA-256 over both descriptions. A server that replaces a key
// also changes a description, which the identity proof of its sender signs.

const curve = { name: "ECDH", namedCurve: "P-256" };

/** The keys of one side. */
export interface RelayKeys {
  /** Encrypts what this side sends. */
  readonly outgoing: CryptoKey;
  /** Decrypts what the other side sends. */
  readonly incoming: CryptoKey;
}

/** One side's part of the agreement on keys for one attempt. */
export interface KeyAgreement {
  readonly description: RelayDescription;
  /** Returns the keys that both sides share. Rejects with `protocol` if the other side's key is not valid. */
  agree(remote: RelayDescription): Promise<RelayKeys>;
}

/** Creates a key pair for one attempt. Rejects with `unsupported` on pages without WebCrypto. */
export async function createKeyAgreement(role: "caller" | "callee"): Promise<KeyAgreement> {
  const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle;
  if (!subtle) throw new BonevalueError("unsupported", "The relay needs WebCrypto: serve the page over https.");
  const { publicKey, privateKey } = await subtle.generateKey(curve, false, ["deriveBits"]);
  const description: RelayDescription = {
    algorithm: curve.namedCurve,
    publicKey: toBase64Url(new Uint8Array(await subtle.exportKey("raw", publicKey))),
  };

  async function sharedSecret(remote: RelayDescription): Promise<Bytes> {
    try {
      const bytes = remote.algorithm === curve.namedCurve ? fromBase64Url(remote.publicKey) : undefined;
      const remoteKey = await subtle!.importKey("raw", bytes!, curve, false, []);
      const secret = new Uint8Array(await subtle!.deriveBits({ name: "ECDH", public: remoteKey }, privateKey, 256));
      if (secret.every((byte) => byte === 0)) throw new RangeError("The shared secret is zero.");
      return secret;
    } catch (cause) {
      throw new BonevalueError("protocol", "The peer has sent an invalid key for the relay. Update the app there.", {
        cause,
      });
    }
  }

  const hashOf = async (described: RelayDescription) =>
    new Uint8Array(await subtle.digest("SHA-256", descriptionBytes(described)));

  return {
    description,
    async agree(remote) {
      const secret = await subtle.importKey("raw", await sharedSecret(remote), "HKDF", false, ["deriveBits"]);
      const [own, other] = await Promise.all([hashOf(description), hashOf(remote)]);
      const info = concat(label("relay"), ...(role === "caller" ? [own, other] : [other, own]));
      const salt = new Uint8Array();
      const derived = await subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt, info }, secret, 512);
      const keyAt = (offset: number, usage: "encrypt" | "decrypt") =>
        subtle.importKey("raw", derived.slice(offset, offset + 32), "AES-GCM", false, [usage]);
      const [outgoing, incoming] = await Promise.all(
        role === "caller" ? [keyAt(0, "encrypt"), keyAt(32, "decrypt")] : [keyAt(32, "encrypt"), keyAt(0, "decrypt")],
      );
      return { outgoing: outgoing!, incoming: incoming! };
    },
  };
}
