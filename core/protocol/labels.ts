/** The largest number of code points in the name of an app. */
export const maxAppLength = 64;

/** The largest number of code points in the name of a room. */
export const maxRoomLength = 128;

/** The largest number of code points in an alias, and in the name of a guest. */
export const maxNameLength = 64;

/**
 * Returns the name of an app, a room or a person in NFC if it is a string of `min` to `max` code points without lone
 * surrogates, which have no UTF-8, and without U+0000, which databases cannot store; otherwise undefined.
 */
export function labelOf(text: unknown, min: number, max: number): string | undefined {
  if (typeof text !== "string") return undefined;
  const label = text.normalize();
  // A code point has one or two units. Checked first, because a hostile text may be very long.
  if (label.length > 2 * max || label.includes("\0") || /\p{Cs}/u.test(label)) return undefined;
  const { length } = [...label];
  return length >= min && length <= max ? label : undefined;
}
