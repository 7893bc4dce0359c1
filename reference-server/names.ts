import { everyone, us } from "../core/protocol/alias.ts";
import { Refusal } from "./refusal.ts";

const reserved: ReadonlySet<string> = new Set([everyone, us]);
const hidden = /[\p{Cc}\p{Cf}\p{Cs}]/u;
const peerId = /^[0-9a-f]{32}$/i;
const address = /^[^\s@<>"(),:;\\[\]\p{C}]{1,64}@[^\s@<>"(),:;\\[\]\p{C}]{1,190}$/u;

/** The alias as it is; throws `alias-reserved`, saying why, when the protocol does not allow it. */
export function checkedAlias(name: string): string {
  const problem = problemWith(name);
  if (problem !== undefined) throw new Refusal("alias-reserved", `This name ${problem}: choose another.`);
  return name;
}

function problemWith(name: string): string | undefined {
  const length = [...name].length;
  if (length < 1 || length > 64) return "is not 1 to 64 characters long";
  if (reserved.has(name)) return "means something else to every peer";
  if (peerId.test(name)) return "looks like a peer's id";
  if (hidden.test(name)) return "has characters that cannot be seen";
  if (name !== name.normalize("NFC")) return "is not in Unicode's composed form (NFC)";
  return undefined;
}

/** The one spelling of a user name: composed, and in small letters where it is an e-mail address. */
export function canonicalName(name: string): string {
  const composed = name.normalize("NFC");
  return composed.includes("@") ? composed.toLowerCase() : composed;
}

/** Whether an account may have this name: 1 to 256 characters, all of which can be seen. */
export function isName(name: string): boolean {
  const length = [...name].length;
  return length >= 1 && length <= 256 && !hidden.test(name);
}

/** A canonical user name; throws `invalid-request` for what can be none. */
export function checkedName(name: string): string {
  if (!isName(name))
    throw new Refusal("invalid-request", "A user name has 1 to 256 characters, all of which can be seen.");
  return canonicalName(name);
}

/** A canonical e-mail address; throws `invalid-request` for what cannot be one. */
export function checkedEmail(email: string): string {
  if (!address.test(email)) throw new Refusal("invalid-request", "This is not an e-mail address.");
  return canonicalName(email);
}
