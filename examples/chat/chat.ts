import { defineModule, type Module, type Reply } from "bonevalue";
import * as v from "valibot";

/** A chat message. The empty response confirms its receipt. */
export const Say: Module<v.GenericSchema<string>, undefined> = defineModule("Chat.Say", { request: v.string() });

/** A line of the chat log. */
export interface Line {
  readonly id: number;
  readonly who: string;
  readonly text: string;
}

/** Returns the log with one more line. */
export function withLine(lines: readonly Line[], who: string, text: string): readonly Line[] {
  return [...lines, { id: lines.length, who, text }];
}

/** Describes how many peers received the last message. */
export function receipt(replies: readonly Reply<unknown>[], pending: boolean): string {
  if (pending) return "Sending …";
  const received = replies.filter(({ status }) => status === "fulfilled").length;
  return replies.length > 0 ? `${received} of ${replies.length} have your last message` : "";
}
