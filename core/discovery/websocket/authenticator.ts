import type { Clock } from "../../clock.ts";
import { BonevalueError } from "../../errors.ts";
import { type Claim, discoveryVersion, type ToServer } from "../../protocol/messages.ts";
import type { Credentials } from "../discovery.ts";

/** The first frame of a socket, which says whose it is. */
export type FirstFrame = {
  readonly [Type in "authenticate" | "acceptInvite"]: { readonly type: Type; readonly data: ToServer[Type] };
}["authenticate" | "acceptInvite"];

/** Who we are, at first by our credentials, then by the session's secret, which is nowhere but in memory. */
export interface Authenticator {
  /** Rejects with `unauthenticated` when the app's token function fails, or has given no text after 30 s. */
  firstFrame(): Promise<FirstFrame>;
  /** Signed in. A secret that we have shown ourselves may have been replaced since, and is not taken back. */
  keep(session: string): void;
  /** The secret has changed. */
  replace(session: string): void;
  /** The password of this user has been changed to this one, or it has not: nobody has told us. */
  tryPassword(username: string, password: string): void;
  /** No `opening` is waited for any more. */
  stopAsking(): void;
  /**
   * The last `opening` was refused. Whether another may say something else: a new token or secret, or once the password
   * that was in doubt.
   */
  renew(): boolean;
}

// In ms. A sign-in has no other end while the app looks for a token.
const longestAsked = 30_000;

/** Begins with `credentials`. */
export function createAuthenticator(first: Credentials, clock: Clock): Authenticator {
  let session: string | undefined;
  let shown: string | undefined;
  let doubtful: Credentials | undefined;
  let credentials = first;
  let stopAsking = () => {};

  async function tokenOf(token: string | (() => string | Promise<string>)): Promise<string> {
    if (typeof token === "string") return token;
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const stop = clock.after(longestAsked, () => resolve(undefined));
    stopAsking = stop;
    try {
      const given = await Promise.race([token(), late]);
      if (typeof given === "string") return given;
      throw new TypeError("It has given no text within 30 s.");
    } catch (cause) {
      throw new BonevalueError("unauthenticated", "The app's token function failed: see the cause.", { cause });
    } finally {
      stop();
    }
  }

  return {
    async firstFrame() {
      shown = session;
      if ("token" in credentials) return authenticate({ token: await tokenOf(credentials.token), session });
      if (session !== undefined) return authenticate({ session });
      if ("username" in credentials)
        return authenticate({ username: credentials.username, password: credentials.password });
      const { invite, password } = credentials;
      return { type: "acceptInvite", data: { version: discoveryVersion, invite, password } };
    },
    keep(secret) {
      if (secret !== shown) session = shown = secret;
    },
    replace(secret) {
      session = secret;
    },
    tryPassword(username, password) {
      doubtful = { username, password };
    },
    renew() {
      if (session !== shown) return true;
      if (!doubtful) return "token" in credentials && typeof credentials.token === "function";
      credentials = doubtful;
      doubtful = session = undefined;
      return true;
    },
    stopAsking: () => stopAsking(),
  };
}

function authenticate(claim: Claim): FirstFrame {
  return { type: "authenticate", data: { version: discoveryVersion, ...claim } };
}
