import { getPublicKey, hashes, sign, verify } from "@noble/ed25519";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { concatBytes as concat } from "@noble/hashes/utils.js";
import { BonevalueError } from "../errors.ts";
import type { Algorithms } from "./algorithms.ts";

/** The algorithms in JavaScript. Private keys are seeds, which scripts of the page can read. */
export function createFallbackAlgorithms(): Algorithms {
  hashes.sha512 = (message) => concat(sha512(concat(message)));
  return {
    async fromSeed(seed) {
      return {
        publicKey: concat(getPublicKey(seed)),
        sign: async (...parts) => concat(sign(concat(...parts), seed)),
      };
    },
    fromCryptoKey() {
      throw new BonevalueError("unsupported", "This page cannot use its stored key: open it over https.");
    },
    async verify(publicKey, signature, message) {
      const bytes = await message;
      try {
        return verify(signature, bytes, publicKey, { zip215: false });
      } catch {
        return false;
      }
    },
    hash: async (...parts) => concat(sha256(concat(...parts))),
    hmac: async (key, ...parts) => concat(hmac(sha256, key, concat(...parts))),
  };
}
