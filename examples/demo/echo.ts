import { defineModule, type Module } from "bonevalue";
import * as v from "valibot";

/** What a peer of the demo is asked. */
export interface Question {
  text: string;
}

/** What it answers. */
export interface Answer {
  text: string;
  /** What runs the peer, for people to read. */
  by?: string | undefined;
}

/** What every peer of the demo can be asked: the answer is the text with a "Not" before it. */
export const Echo: Module<v.GenericSchema<Question>, v.GenericSchema<Answer>> = defineModule("My.Echo.Module", {
  request: v.object({ text: v.string() }),
  response: v.object({ text: v.string(), by: v.optional(v.string()) }),
});

/** The answer to `text`. */
export function answerTo(text: string): string {
  return `Not ${text}`;
}
