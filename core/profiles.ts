import type { StandardSchemaV1 } from "@standard-schema/spec";
import { requireSchema } from "./check-arguments.ts";
import type { Clock } from "./clock.ts";
import type { BonevalueError } from "./errors.ts";
import { missingInDiscovery } from "./missing-feature.ts";
import { noProfile, type PeerInfo, type Profile } from "./peer.ts";
import type { ProfileReader } from "./peers/peer-list.ts";
import { encodeProfile, profileIntervalMs } from "./protocol/profile.ts";
import { validateThen } from "./rpc/validate.ts";
import { thrownError } from "./rpc/wire-errors.ts";

/**
 * Creates the reader of other peers' profiles. `failed` is called for a profile that is none, or that `schema` refuses:
 * it reads as `{}`, so that views get nothing that they do not expect. Throws `invalid-request` for what is no schema.
 */
export function createProfileReader(
  schema: StandardSchemaV1 | undefined,
  failed: (peer: PeerInfo, error: BonevalueError) => void,
): ProfileReader {
  requireSchema(schema);

  return {
    encode(peer) {
      const { profile = noProfile } = peer;
      try {
        return encodeProfile(profile);
      } catch (error) {
        failed(peer, error as BonevalueError);
        return "{}";
      }
    },
    validate(peer, text) {
      let profile: Profile = noProfile;
      const later = validateThen(
        schema,
        JSON.parse(text),
        "invalid-response",
        (value) => {
          // What the schema returns may be anything, and views read its fields.
          profile = freeze(Object(value));
        },
        (error) => failed(peer, thrownError(error)),
      );
      return later?.then(() => profile) ?? profile;
    },
  };
}

/** What this client says about itself. */
export interface OwnProfile {
  /** Returns the newest, for the first frame to the server. */
  read(): Profile;
  /** Changes it. Sends it at once, or 200 ms after the last one. Rejects with `unsupported` and like `encodeProfile`. */
  set(profile: Profile): Promise<void>;
  /** The client is online: sends the profile if it has changed since the first frame. */
  onOnline(): void;
}

/**
 * Creates the profile of a client. `send` is called with the newest one. It returns `undefined` while the client is not
 * online, and `false` if discovery has no profiles.
 */
export function createOwnProfile(
  initial: Profile,
  clock: Clock,
  send: (profile: Profile) => boolean | undefined,
): OwnProfile {
  let profile = copy(initial);
  let inFirstFrame: Profile | undefined;
  let sentAt = Number.NEGATIVE_INFINITY;
  let sending: Promise<void> | undefined;

  function sendNow(): boolean | undefined {
    sentAt = clock.now();
    return send(profile);
  }

  async function sendSoon(): Promise<void> {
    const delay = sentAt + profileIntervalMs - clock.now();
    await (delay > 0 && new Promise<void>((resolve) => clock.after(delay, resolve)));
    sending = undefined;
    if (sendNow() === false) throw missingInDiscovery("profiles");
  }

  return {
    read() {
      inFirstFrame = profile;
      return profile;
    },
    async set(next) {
      profile = copy(next);
      sending ??= sendSoon();
      return sending;
    },
    onOnline() {
      // The server may have read the first frame after a profile that was sent on an older socket.
      if (inFirstFrame !== profile) sendNow();
    },
  };
}

/** Returns a frozen copy, because the app may change its object later. */
function copy(profile: Profile): Profile {
  return freeze(JSON.parse(encodeProfile(profile)));
}

/** Freezes a value with all that it contains. */
function freeze<Value>(value: Value): Value {
  if (Object.isFrozen(value) || ArrayBuffer.isView(value)) return value;
  Object.freeze(value);
  Object.values(value as object).forEach(freeze);
  return value;
}
