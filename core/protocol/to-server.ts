import * as v from "valibot";
import type { Schemas, ToServer } from "./messages.ts";
import { encodeProfile } from "./profile.ts";

const text = v.string();
const optionalText = v.optional(text);
const flag = v.optional(v.boolean());
const profile = v.pipe(v.unknown(), v.check(isProfile, "A profile is a JSON object of at most 1 KiB"));
const firstFrame = {
  ...{ version: v.number(), app: optionalText, profile: v.optional(profile) },
  ...{ stay: flag, remember: flag },
};
const nothing = v.optional(v.object({}), {});
const signal = v.pipe(v.unknown(), v.check(isShallow, "A signal is nested too deep"));
const relay = v.object({ to: text, signal });
const named = v.object({ name: text });

function isProfile(value: unknown): boolean {
  try {
    encodeProfile(value);
    return true;
  } catch {
    return false;
  }
}

// Deeper than any real signal, and far less than what JSON.parse accepts but JSON.stringify fails on.
const deepest = 64;

function isShallow(value: unknown, left: number = deepest): boolean {
  if (typeof value !== "object" || value === null) return true;
  return left > 0 && Object.values(value).every((inner) => isShallow(inner, left - 1));
}

/** The schemas of the messages of a client, by type. */
export const toServer: Schemas<ToServer> = {
  authenticate: v.intersect([
    v.object(firstFrame),
    v.union([
      v.object({ username: text, password: text }),
      v.object({ token: text, session: optionalText }),
      v.object({ room: text, name: optionalText, session: optionalText }),
      v.object({ session: text, fork: flag }),
      v.object({ device: text }),
    ]),
  ]),
  acceptInvite: v.object({ ...firstFrame, invite: text, password: text }),
  peerRequest: relay,
  peerResponse: relay,
  openRelay: v.object({ to: text }),
  setProfile: v.object({ profile }),
  inviteUser: v.object({ email: text, alias: v.optional(text), as: v.optional(text) }),
  requestToken: named,
  claimToken: v.object({ name: text, token: text }),
  removeUser: named,
  changePassword: v.object({ current: text, password: text }),
  listDevices: nothing,
  forgetDevice: v.object({ id: text }),
  ping: nothing,
  pong: nothing,
  bye: v.optional(v.object({ back: flag }), {}),
};
