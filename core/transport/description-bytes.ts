import { type Bytes, concat, prefixed, utf8 } from "../bytes.ts";
import type { Description } from "./transport.ts";

/** What a side of a relayed link says of itself in place of an SDP: its public key for this attempt (ECDH). */
export interface RelayKey {
  /** The name that WebCrypto has for it. */
  readonly algorithm: "P-256" | "X25519";
  /** In WebCrypto's raw format: 65 bytes, or 32. */
  readonly publicKey: Uint8Array;
}

/**
 * Returns the bytes of a description; a proof signs their hash. docs/protocol.md, "Proof". An SDP and a key never have the
 * same bytes. Throws `RangeError` for text with lone surrogates.
 */
export function descriptionBytes(description: Pick<Description, "sdp"> | RelayKey): Bytes {
  if ("sdp" in description) return concat(Uint8Array.of(0), utf8(description.sdp));
  return concat(Uint8Array.of(1), prefixed(description.algorithm), description.publicKey);
}
