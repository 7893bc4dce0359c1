import { createHash, randomBytes } from "node:crypto";

/** Returns 256 random bits as base64url. */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** Returns the hash to store for a secret. Secrets have 256 random bits, so a plain SHA-256 cannot be reversed. */
export function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

/** Returns 128 random bits as base64url: the ticket of a relay socket. */
export function newTicket(): string {
  return randomBytes(16).toString("base64url");
}

/** Returns 128 random bits as 32 lowercase hex digits. */
export function newPeerId(): string {
  return randomBytes(16).toString("hex");
}
