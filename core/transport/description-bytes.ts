import { type Bytes, concat, fromBase64Url, prefixed, utf8 } from "../bytes.ts";
import { BonevalueError } from "../errors.ts";
import type { Description, RelayDescription } from "./transport.ts";

/**
 * Returns the bytes of a description; a proof signs their hash. docs/protocol.md, "Proof". An SDP and a key never have the
 * same bytes. Throws `RangeError` for text with lone surrogates, and `protocol` for a key that is not base64url.
 */
export function descriptionBytes(description: Pick<Description, "sdp"> | RelayDescription): Bytes {
  if ("sdp" in description) return concat(Uint8Array.of(0), utf8(description.sdp));
  const key = fromBase64Url(description.publicKey);
  if (!key) throw new BonevalueError("protocol", "The key is not base64url.");
  return concat(Uint8Array.of(1), prefixed(description.algorithm), key);
}
