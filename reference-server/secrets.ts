import { createHash, randomBytes } from "node:crypto";

/** 256 random bits, fit for a URL. */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** What is stored of a secret. Secrets are random enough that a plain hash cannot be reversed. */
export function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

/** 128 random bits as 32 lowercase hex digits. */
export function newPeerId(): string {
  return randomBytes(16).toString("hex");
}
