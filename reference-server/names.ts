import { everyone, us } from "../core/protocol/alias.ts";
import { labelOf, maxAppLength } from "../core/protocol/labels.ts";
import { Refusal } from "./refusal.ts";

const reserved: ReadonlySet<string> = new Set([everyone, us]);
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const peerId = /^[0-9a-f]{32}$/i;
const address = /^[^\s@<>"(),:;\\[\]\p{C}]{1,64}@[^\s@<>"(),:;\\[\]\p{C}]{1,190}$/u;

// Zero-width joiners change the form of letters in these scripts, and are part of correct spelling there.
const joining =
  "[\\p{scx=Arab}\\p{scx=Syrc}\\p{scx=Mong}\\p{scx=Deva}\\p{scx=Beng}\\p{scx=Guru}\\p{scx=Gujr}\\p{scx=Orya}\\p{scx=Taml}\\p{scx=Telu}\\p{scx=Knda}\\p{scx=Mlym}\\p{scx=Sinh}\\p{scx=Khmr}\\p{scx=Mymr}]";
const emoji = "\\p{Extended_Pictographic}";

/** Joiners in a context where UAX #31 (section 2.3) allows them in identifiers, or within an emoji sequence (UTS #51). */
const allowedJoiner = new RegExp(
  `(?<=(?=[\\p{L}\\p{M}])${joining})[\\u200C\\u200D](?=${joining})|(?<=${emoji}[\\uFE0F\\p{Emoji_Modifier}]?)\\u200D(?=${emoji})`,
  "gu",
);

/** Returns the alias in NFC; throws `alias-reserved` with the reason when the protocol does not allow it. */
export function checkedAlias(name: string): string {
  const alias = name.normalize("NFC");
  const problem = findProblem(alias);
  if (problem !== undefined) throw new Refusal("alias-reserved", `This alias ${problem}: choose another.`);
  return alias;
}

function findProblem(name: string): string | undefined {
  const length = [...name].length;
  if (length < 1 || length > 64) return "is not 1 to 64 characters long";
  if (reserved.has(name)) return "is reserved";
  if (peerId.test(name)) return "looks like a peer id";
  if (hasInvisible(name)) return "contains invisible characters";
  return undefined;
}

function hasInvisible(name: string): boolean {
  return invisible.test(name.replace(allowedJoiner, ""));
}

/** Returns the name of an app in NFC; throws `invalid-request` for an invalid one. The app of a client without one is `""`. */
export function checkedApp(name: string = ""): string {
  const app = labelOf(name, 0, maxAppLength);
  if (app === undefined)
    throw new Refusal("invalid-request", `The name of an app has at most ${maxAppLength} characters.`);
  return app;
}

/** Returns the canonical spelling of a user name: NFC, and in lower case if it is an e-mail address. */
export function canonicalName(name: string): string {
  const composed = name.normalize("NFC");
  return composed.includes("@") ? composed.toLowerCase() : composed;
}

/** Whether an account may have this name: 1 to 256 visible characters. */
export function isName(name: string): boolean {
  const length = [...name].length;
  return length >= 1 && length <= 256 && !hasInvisible(name);
}

/** Returns the canonical user name; throws `invalid-request` for an invalid one. */
export function checkedName(name: string): string {
  if (!isName(name)) throw new Refusal("invalid-request", "A user name has 1 to 256 visible characters.");
  return canonicalName(name);
}

/** Returns a name that fits into a sentence of a mail or page: of a long one, its beginning. */
export function shortenedName(name: string): string {
  const characters = [...name];
  return characters.length > 64 ? `${characters.slice(0, 63).join("")}…` : name;
}

/** Whether a service may have this name: 1 to 64 visible characters. */
export function isServiceName(name: string): boolean {
  return [...name].length <= 64 && name.trim() !== "" && !hasInvisible(name);
}

/** Returns the canonical e-mail address; throws `invalid-request` for an invalid one. */
export function checkedEmail(email: string): string {
  if (!address.test(email)) throw new Refusal("invalid-request", "This is not a valid e-mail address.");
  return canonicalName(email);
}
