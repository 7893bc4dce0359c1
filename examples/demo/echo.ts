import { defineModule } from "bonevalue";
import * as v from "valibot";

/** What every peer of the demo can be asked: the answer is the text with a "Not" before it. */
export const Echo = defineModule("My.Echo.Module", {
  request: v.object({ text: v.string() }),
  response: v.object({
    text: v.string(),
    /** What runs the peer, for people to read. */
    by: v.optional(v.string()),
  }),
});

/** The answer to `text`. */
export function answerTo(text: string): string {
  return `Not ${text}`;
}
