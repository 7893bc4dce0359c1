import { anything, type Check, object, text } from "../../checks.ts";
import { type Alias, type PeerId, us } from "../../peer.ts";
import type { SignalKind } from "../discovery.ts";

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

const word = text();
const id: Check<PeerId> = (value): value is PeerId => word(value) && /^[0-9a-f]{32}$/.test(value);
const kind: Check<SignalKind> = (value) => value === "peerRequest" || value === "peerResponse";

/** A user name that can stand as an alias, since everybody is known by it. */
export const isUsername: Check<Alias> = (value): value is Alias =>
  word(value) && value !== "" && value !== "*" && value !== us && !id(value);

const member = object({ from: id, username: isUsername });
const messages = {
  hello: member,
  here: member,
  bye: object({ from: id }),
  signal: object({ from: id, to: id, kind, signal: anything }),
};
const typed = object({
  type: (value): value is keyof typeof messages => word(value) && Object.hasOwn(messages, value),
});

/** Everything that a tab understands. */
export const isTabMessage: Check<TabMessage> = (value): value is TabMessage =>
  typed(value) && messages[value.type](value);
