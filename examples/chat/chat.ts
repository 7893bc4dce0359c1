import { defineModule, type Module, type Reply } from "bonevalue";
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

/** Who has what was said last, as a sentence; nothing before that. */
export function receipt(replies: readonly Reply<unknown>[], pending: boolean): string {
  if (pending) return "On its way";
  const received = replies.filter(({ status }) => status === "fulfilled").length;
  return replies.length > 0 ? `${received} of ${replies.length} have your last message` : "";
}
