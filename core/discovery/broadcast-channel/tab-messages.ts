import * as v from "valibot";
import type { Alias, PeerId } from "../../peer.ts";
import { type SignalKind, signalKinds } from "../../protocol/messages.ts";
import { nameProblem } from "../../protocol/names.ts";

/** The messages between tabs. Each tab answers `hello` with `here`. */
export type TabMessage =
  | { readonly type: "hello"; readonly from: PeerId; readonly username: Alias; readonly profile?: unknown }
  | { readonly type: "here"; readonly from: PeerId; readonly username: Alias; readonly profile?: unknown }
  | { readonly type: "profile"; readonly from: PeerId; readonly profile?: unknown }
  | { readonly type: "bye"; readonly from: PeerId }
  | {
      readonly type: "signal";
      readonly from: PeerId;
      readonly to: PeerId;
      readonly kind: SignalKind;
      readonly signal?: unknown;
    };

const id = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/));

/** The name of a user or a guest. It obeys the rules of aliases, because the others see it as it is. */
const username: v.GenericSchema<unknown, Alias> = v.pipe(
  v.string(),
  v.transform((name) => name.normalize()),
  v.check((name) => nameProblem(name) === undefined),
);

/** All messages between tabs. */
export const tabMessage: v.GenericSchema<unknown, TabMessage> = v.variant("type", [
  v.object({ type: v.picklist(["hello", "here"]), from: id, username, profile: v.optional(v.unknown()) }),
  v.object({ type: v.literal("profile"), from: id, profile: v.optional(v.unknown()) }),
  v.object({ type: v.literal("bye"), from: id }),
  v.object({
    type: v.literal("signal"),
    from: id,
    to: id,
    kind: v.picklist(signalKinds),
    signal: v.unknown(),
  }),
]);
