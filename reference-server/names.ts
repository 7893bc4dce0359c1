import { everyone, us } from "../core/protocol/alias.ts";
import { Refusal } from "./refusal.ts";

const reserved: ReadonlySet<string> = new Set([everyone, us]);
const invisible = /[\p{Cc}\p{Cf}\p{Cs}]/u;
const peerId = /^[0-9a-f]{32}$/i;
const address = /^[^\s@<>"(),:;\\[\]\p{C}]{1,64}@[^\s@<>"(),:;\\[\]\p{C}]{1,190}$/u;

/** Returns the alias unchanged; throws `alias-reserved` with the reason when the protocol does not allow it. */
export function checkedAlias(name: string): string {
  const problem = findProblem(name);
  if (problem !== undefined) throw new Refusal("alias-reserved", `This alias ${problem}: choose another.`);
  return name;
}

function findProblem(name: string): string | undefined {
  const length = [...name].length;
  if (length < 1 || length > 64) return "is not 1 to 64 characters long";
  if (reserved.has(name)) return "is reserved";
  if (peerId.test(name)) return "looks like a peer id";
  if (invisible.test(name)) return "contains invisible characters";
  if (name !== name.normalize("NFC")) return "is not in Unicode normalization form C (NFC)";
  return undefined;
}

/** Returns the canonical spelling of a user name: NFC, and in lower case if it is an e-mail address. */
export function canonicalName(name: string): string {
  const composed = name.normalize("NFC");
  return composed.includes("@") ? composed.toLowerCase() : composed;
}

/** Whether an account may have this name: 1 to 256 visible characters. */
export function isName(name: string): boolean {
  const length = [...name].length;
  return length >= 1 && length <= 256 && !invisible.test(name);
}

/** Returns the canonical user name; throws `invalid-request` for an invalid one. */
export function checkedName(name: string): string {
  if (!isName(name)) throw new Refusal("invalid-request", "A user name has 1 to 256 visible characters.");
  return canonicalName(name);
}

/** Returns the canonical e-mail address; throws `invalid-request` for an invalid one. */
export function checkedEmail(email: string): string {
  if (!address.test(email)) throw new Refusal("invalid-request", "This is not a valid e-mail address.");
  return canonicalName(email);
}
