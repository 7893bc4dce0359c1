import { everyone, us } from "./alias.ts";
import { maxNameLength } from "./labels.ts";

const reserved: ReadonlySet<string> = new Set([everyone, us]);
// Default_Ignorable_Code_Point has letters, marks and variation selectors that are not displayed, such as U+3164.
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
// Spaces, and the empty cell of Braille.
const blank = /^[\p{Z}\u2800]*$/u;
const peerId = /^[0-9a-f]{32}$/i;

// Zero-width joiners change the form of letters in these scripts, and are part of correct spelling there.
const joining =
  "[\\p{scx=Arab}\\p{scx=Syrc}\\p{scx=Mong}\\p{scx=Deva}\\p{scx=Beng}\\p{scx=Guru}\\p{scx=Gujr}\\p{scx=Orya}\\p{scx=Taml}\\p{scx=Telu}\\p{scx=Knda}\\p{scx=Mlym}\\p{scx=Sinh}\\p{scx=Khmr}\\p{scx=Mymr}]";
const emoji = "\\p{Extended_Pictographic}";

// Joiners in a context where UAX #31 (section 2.3) allows them in identifiers, or within an emoji sequence (UTS #51). After a
// virama of Bengali or Malayalam, one forms the last letter of a word.
const joiner = `(?<=[\\u09CD\\u0D4D])\\u200D|(?<=(?=[\\p{L}\\p{M}])${joining})[\\u200C\\u200D](?=${joining})|(?<=${emoji}[\\uFE0F\\p{Emoji_Modifier}]?)\\u200D(?=${emoji})`;

// Variation selectors where Unicode defines sequences with them: emoji (UTS #51), ideographs (UTS #37) and Mongolian letters.
const variation = `(?<=${emoji})[\\uFE0E\\uFE0F]|(?<=[0-9#*])\\uFE0F(?=\\u20E3)|(?<=\\p{Ideographic})\\p{Variation_Selector}|(?<=(?=\\p{L})\\p{scx=Mong})[\\u180B-\\u180D\\u180F]`;

/**
 * Whether a name has characters that nobody sees, other than joiners and variation selectors where they are part of the
 * spelling, or consists of blanks.
 */
export function hasInvisible(name: string): boolean {
  return blank.test(name) || invisible.test(name.replace(new RegExp(`${joiner}|${variation}`, "gu"), ""));
}

/** Returns why a name in NFC can be neither an alias nor the name of a guest; undefined if it can. */
export function nameProblem(name: string): string | undefined {
  // A code point has one or two units. Checked first, because a hostile name may be very long.
  const length = name.length > 2 * maxNameLength ? Number.POSITIVE_INFINITY : [...name].length;
  if (length < 1 || length > maxNameLength) return `is not 1 to ${maxNameLength} characters long`;
  if (reserved.has(name)) return "is reserved";
  if (peerId.test(name)) return "looks like a peer id";
  if (hasInvisible(name)) return "contains invisible characters";
  return undefined;
}
