import * as v from "valibot";

/** Creates a schema for strings of at most `maxLength` UTF-16 code units. */
export function boundedText(maxLength: number): v.GenericSchema<unknown, string> {
  return v.custom<string>((value) => typeof value === "string" && value.length <= maxLength);
}

/** Creates a schema for safe integers of at least `min`. */
export function boundedCount(min: number): v.GenericSchema<unknown, number> {
  return v.custom<number>((value) => Number.isSafeInteger(value) && (value as number) >= min);
}
