import type { Clock } from "../../clock.ts";
import { BonevalueError } from "../../errors.ts";
import { type Claim, discoveryVersion, type ToServer } from "../../protocol/messages.ts";
import type { Credentials, OpenOptions } from "../discovery.ts";

/** The first frame of a socket, which authenticates it. */
export type FirstFrame = {
  readonly [Type in "authenticate" | "acceptInvite"]: { readonly type: Type; readonly data: ToServer[Type] };
}["authenticate" | "acceptInvite"];

/**
 * Chooses the first frame of each socket: the app's credentials at the first sign-in, the session secret afterwards. The
 * secret is kept in memory only.
 */
export interface Authenticator {
  /** Rejects with `unauthenticated` when the app's token function fails or returns no string within 30 s. */
  firstFrame(): Promise<FirstFrame>;
  /** Keeps the secret of a sign-in, unless {@link replace} has been called since the first frame. */
  keep(session: string): void;
  /** Replaces the secret. */
  replace(session: string): void;
  /** The password may have changed to this one; the server's answer was lost. It is tried when the secret is refused. */
  tryPassword(username: string, password: string): void;
  /** Stops waiting for the app's token function. */
  cancel(): void;
  /**
   * The server refused the last frame. Returns whether another attempt can differ: with a new token or secret, or with
   * the password of {@link tryPassword}.
   */
  renew(): boolean;
}

const tokenTimeoutMs = 30_000;

/** Creates an authenticator that starts with `first`. */
export function createAuthenticator(first: Credentials, { app }: OpenOptions, clock: Clock): Authenticator {
  let session: string | undefined;
  let sent: string | undefined;
  let uncertain: Credentials | undefined;
  let credentials = first;
  let cancel = () => {};

  async function resolveToken(token: string | (() => string | Promise<string>)): Promise<string> {
    if (typeof token === "string") return token;
    const { promise: timeout, resolve } = Promise.withResolvers<undefined>();
    const undoTimeout = clock.after(tokenTimeoutMs, () => resolve(undefined));
    cancel = undoTimeout;
    try {
      const result = await Promise.race([token(), timeout]);
      if (typeof result === "string") return result;
      throw new TypeError("The function returned no string within 30 s.");
    } catch (cause) {
      throw new BonevalueError("unauthenticated", "The app's token function failed: see the cause.", { cause });
    } finally {
      undoTimeout();
    }
  }

  const common = { version: discoveryVersion, app: app === "" ? undefined : app };

  function authenticate(claim: Claim): FirstFrame {
    return { type: "authenticate", data: { ...common, ...claim } };
  }

  return {
    async firstFrame() {
      sent = session;
      if ("token" in credentials) return authenticate({ token: await resolveToken(credentials.token), session });
      // The server resumes the session, or lets the guest in again if it has ended.
      if ("room" in credentials) return authenticate({ room: credentials.room, name: credentials.name, session });
      if (session !== undefined) return authenticate({ session });
      if ("username" in credentials)
        return authenticate({ username: credentials.username, password: credentials.password });
      const { invite, password } = credentials;
      return { type: "acceptInvite", data: { ...common, invite, password } };
    },
    keep(secret) {
      if (secret !== sent) session = sent = secret;
    },
    replace(secret) {
      session = secret;
    },
    tryPassword(username, password) {
      uncertain = { username, password };
    },
    renew() {
      if (session !== sent) return true;
      if (!uncertain) return "token" in credentials && typeof credentials.token === "function";
      credentials = uncertain;
      uncertain = session = undefined;
      return true;
    },
    cancel: () => cancel(),
  };
}
