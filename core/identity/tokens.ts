import { type Bytes, fromBase64Url, integer, isEqual, label, readInteger, toBase64Url, utf8 } from "../bytes.ts";
import type { Algorithms, SigningKey } from "./algorithms.ts";

// The clients' part of a token, and what else is derived from keys and secrets. docs/protocol.md, "Tokens" and "Keys".

/** A token is for a user, or for another device of the account (a linking code). */
export type Purpose = 0 | 1;

/** The clients' part of a token: 128 random bits, and 64 bits that bind the maker's account. */
export interface TokenPart {
  readonly secret: Bytes;
  readonly binding: Bytes;
}

/** How many bytes at the end of a token bind its maker's account. */
export const bindingSize = 8;

/** The end of a token, which binds the account of its maker. */
export async function bindingOf(
  algorithms: Algorithms,
  secret: Bytes,
  purpose: Purpose,
  account: Bytes,
): Promise<Bytes> {
  return (await algorithms.hmac(secret, label("token"), integer(purpose, 1), account)).subarray(0, bindingSize);
}

/** Whether a token was made by a device of `account`. */
export async function isMadeBy(
  algorithms: Algorithms,
  { secret, binding }: TokenPart,
  purpose: Purpose,
  account: Bytes,
): Promise<boolean> {
  return isEqual(await bindingOf(algorithms, secret, purpose, account), binding);
}

/** The answer to a token, by a device of `account`. */
export async function claimOf(
  algorithms: Algorithms,
  secret: Bytes,
  purpose: Purpose,
  { account, device }: { account: Bytes; device: Bytes },
): Promise<Bytes> {
  return (await algorithms.hmac(secret, label("claim"), integer(purpose, 1), account, device)).subarray(0, 16);
}

/** The key of an account that all its devices derive from a secret: of a user (0), or of a room (1). */
export async function deriveAccount(
  algorithms: Algorithms,
  secret: Uint8Array,
  scope: 0 | 1,
  name: string,
): Promise<SigningKey> {
  return algorithms.fromSeed(await algorithms.hmac(secret, label("account"), integer(scope, 1), utf8(name)));
}

/** The name of a room that is private from its server. */
export async function deriveRoom(algorithms: Algorithms, secret: Uint8Array): Promise<string> {
  return toBase64Url((await algorithms.hmac(secret, label("room"))).subarray(0, 16));
}

/** The half of a safety number that each account contributes: its key, and 30 digits in groups of five. */
export type SafetyHalves = ReadonlyMap<string, { readonly key: Bytes; readonly digits: string }>;

/**
 * Returns the halves of some accounts. Hashes only the accounts that `known` lacks, since each change of a record describes
 * all users again.
 */
export async function safetyHalvesOf(
  algorithms: Algorithms,
  accounts: readonly string[],
  known: SafetyHalves,
): Promise<SafetyHalves> {
  async function halfOf(account: string) {
    const key = fromBase64Url(account)!;
    const digest = await algorithms.hash(label("safety number"), key);
    const groups = Array.from({ length: 6 }, (_, group) => digitsOf(digest.subarray(group * 5, group * 5 + 5)));
    return { key, digits: groups.join(" ") };
  }

  const unique = [...new Set(accounts)];
  const halves = await Promise.all(unique.map((account) => known.get(account) ?? halfOf(account)));
  return new Map(unique.map((account, index) => [account, halves[index]!]));
}

/** Returns the safety number of two accounts: 60 digits in groups of five, the same on both sides. */
export function safetyNumberOf(halves: SafetyHalves, account: string, other: string): string {
  const a = halves.get(account)!;
  const b = halves.get(other)!;
  return compare(a.key, b.key) < 0 ? `${a.digits} ${b.digits}` : `${b.digits} ${a.digits}`;
}

/** Orders two different keys by their bytes. */
export function compare(a: Bytes, b: Bytes): number {
  const index = a.findIndex((byte, position) => byte !== b[position]);
  return a[index]! - b[index]!;
}

function digitsOf(bytes: Uint8Array): string {
  return String(readInteger(bytes) % 100_000).padStart(5, "0");
}
