import * as v from "valibot";

/** A schema of texts of at most `longest` UTF-16 units. */
export function boundedText(longest: number): v.GenericSchema<unknown, string> {
  return v.custom<string>((value) => typeof value === "string" && value.length <= longest);
}

/** A schema of whole numbers from `least` on. */
export function boundedCount(least: number): v.GenericSchema<unknown, number> {
  return v.custom<number>((value) => Number.isSafeInteger(value) && (value as number) >= least);
}
