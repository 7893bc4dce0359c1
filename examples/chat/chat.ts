import { defineModule, type Module } from "bonevalue";
import * as v from "valibot";

/** Something said to everybody; the answer, nothing, says that it has come. */
export const Say: Module<v.GenericSchema<string>, undefined> = defineModule("Chat.Say", { request: v.string() });

/** A line of the log. */
export interface Line {
  readonly id: number;
  readonly who: string;
  readonly text: string;
}

/** The log, one line longer. */
export function withLine(lines: readonly Line[], who: string, text: string): readonly Line[] {
  return [...lines, { id: lines.length, who, text }];
}
