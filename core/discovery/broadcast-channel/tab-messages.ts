import * as v from "valibot";
import type { Alias, PeerId } from "../../peer.ts";
import { everyone, us } from "../../protocol/alias.ts";
import { type SignalKind, signalKinds } from "../../protocol/messages.ts";

/** The messages between tabs. Each tab answers `hello` with `here`. */
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

/** A user name that is a valid alias, because the user name is also the alias. */
export const username: v.GenericSchema<unknown, Alias> = v.pipe(
  v.string(),
  v.transform((name) => name.normalize()),
  v.check((name) => name !== "" && name !== everyone && name !== us && !v.is(id, name)),
);

/** All messages between tabs. */
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
