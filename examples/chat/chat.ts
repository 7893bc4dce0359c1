import { defineModule, definePresence, type Module, type Peer, type PresenceDefinition } from "bonevalue";
import * as v from "valibot";

/** What members say about themselves: a short status. */
export const profileSchema: v.GenericSchema<{ status?: string | undefined }> = v.object({
  status: v.optional(v.pipe(v.string(), v.maxLength(60))),
});

/** The status of a member. */
export function statusOf({ profile }: Peer): string {
  return v.is(profileSchema, profile) ? (profile.status ?? "") : "";
}

/** A chat message. */
export const Say: Module<v.GenericSchema<string>, undefined> = defineModule("Chat.Say", {
  request: v.pipe(v.string(), v.maxLength(2_000)),
});

/** Whether somebody is typing. */
export const Typing: PresenceDefinition<v.GenericSchema<boolean>> = definePresence("Chat.Typing", v.boolean());

/** A line of the conversation. */
export interface Line {
  readonly id: number;
  readonly who: string;
  readonly text: string;
  readonly kind: "message" | "mine" | "notice";
}

/** What a page shows at first. */
export const firstLines: readonly Line[] = withLine(
  [],
  "",
  "Messages go from page to page. Nobody stores them.",
  "notice",
);

/** Returns the conversation with one more line. */
export function withLine(
  lines: readonly Line[],
  who: string,
  text: string,
  kind: Line["kind"] = "message",
): readonly Line[] {
  return [...lines, { id: lines.length, who, text, kind }];
}

/** Says who is typing. */
export function typingText(names: readonly string[]): string {
  if (names.length === 0) return "";
  return names.length > 2
    ? "Several people are typing …"
    : `${names.join(" and ")} ${names.length > 1 ? "are" : "is"} typing …`;
}
