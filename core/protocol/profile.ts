import { encodeText } from "../encode-text.ts";
import { BonevalueError } from "../errors.ts";

/** The most bytes of a profile's JSON, in UTF-8. */
export const maxProfileBytes = 1_024;

/** A client and a server send the newest profile at most this often, in ms. */
export const profileIntervalMs = 200;

/** Returns the JSON of a profile. Throws `invalid-request` for anything but a JSON object, and `too-large`. */
export function encodeProfile(profile: unknown): string {
  const text = toJson(profile);
  if (!text?.startsWith("{")) {
    throw new BonevalueError("invalid-request", "A profile is a plain object of JSON values, without `__proto__`.");
  }
  // At most three bytes for each unit of UTF-16. Not every environment can encode text.
  if (text.length * 3 <= maxProfileBytes) return text;
  const size = encodeText(text).length;
  if (size <= maxProfileBytes) return text;
  throw new BonevalueError(
    "too-large",
    `A profile has at most ${maxProfileBytes} bytes, not ${size}. Send the rest in a call.`,
  );
}

function toJson(profile: unknown): string | undefined {
  try {
    return JSON.stringify(profile, (key, value) => {
      if (key === "__proto__" || !isJson(value)) throw new TypeError();
      return value;
    });
  } catch {
    return undefined;
  }
}

/** Whether JSON has `value`. A field that is `undefined` is omitted. */
function isJson(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object") return ["string", "boolean", "undefined"].includes(typeof value);
  if (value === null || Array.isArray(value)) return true;
  // The prototype of plain objects ends its chain, in every realm.
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
