import * as v from "valibot";
import type { Alias, PeerId } from "../../peer.ts";
import { everyone, us } from "../../protocol/alias.ts";
import { type SignalKind, signalKinds } from "../../protocol/messages.ts";

/** What tabs say to each other. `hello` asks who is there, `here` answers. */
export type TabMessage =
  | { readonly type: "hello"; readonly from: PeerId; readonly username: Alias }
  | { readonly type: "here"; readonly from: PeerId; readonly username: Alias }
  | { readonly type: "bye"; readonly from: PeerId }
  | {
      readonly type: "signal";
      readonly from: PeerId;
      readonly to: PeerId;
      readonly kind: SignalKind;
      readonly signal?: unknown;
    };

const id = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/));

/** A user name that can stand as an alias, since everybody is known by it. */
export const username: v.GenericSchema<unknown, Alias> = v.pipe(
  v.string(),
  v.check((name) => name !== "" && name !== everyone && name !== us && !v.is(id, name)),
);

/** Everything that a tab understands. */
export const tabMessage: v.GenericSchema<unknown, TabMessage> = v.variant("type", [
  v.object({ type: v.literal("hello"), from: id, username }),
  v.object({ type: v.literal("here"), from: id, username }),
  v.object({ type: v.literal("bye"), from: id }),
  v.object({
    type: v.literal("signal"),
    from: id,
    to: id,
    kind: v.picklist(signalKinds),
    signal: v.unknown(),
  }),
]);
