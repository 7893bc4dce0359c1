import * as v from "valibot";
import type { ToServer } from "../core/discovery/messages.ts";

const text = v.string();
const version = v.number();
const nothing = v.optional(v.object({}), {});
const relay = v.object({ to: text, signal: v.unknown() });
const named = v.object({ name: text });

/** The data of everything that a server accepts, by type. */
export const toServer: { readonly [Type in keyof ToServer]: v.GenericSchema<unknown, ToServer[Type]> } = {
  authenticate: v.intersect([
    v.object({ version }),
    v.union([
      v.object({ username: text, password: text }),
      v.object({ token: text, session: v.optional(text) }),
      v.object({ session: text }),
    ]),
  ]),
  acceptInvite: v.object({ version, invite: text, password: text }),
  peerRequest: relay,
  peerResponse: relay,
  inviteUser: v.object({ email: text }),
  requestToken: named,
  claimToken: v.object({ name: text, token: text }),
  removeUser: named,
  changePassword: v.object({ current: text, password: text }),
  ping: nothing,
  pong: nothing,
  bye: v.optional(v.object({ back: v.optional(v.boolean()) }), {}),
};
