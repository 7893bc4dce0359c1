import type { Clock } from "../../clock.ts";
import { BonevalueError } from "../../errors.ts";
import { type Claim, discoveryVersion, type ToServer } from "../../protocol/messages.ts";
import type { Credentials, OpenOptions, SecretKeeper, StoredCredentials } from "../discovery.ts";
import type { SignedIn } from "./from-server.ts";

/** The first frame of a socket, which authenticates it. */
export type FirstFrame = {
  readonly [Type in "authenticate" | "acceptInvite"]: { readonly type: Type; readonly data: ToServer[Type] };
}["authenticate" | "acceptInvite"];

/**
 * Chooses the first frame of each socket: the app's credentials at the first sign-in, the session secret afterwards. The
 * secret is kept in memory, and by the keeper if there is one.
 */
export interface Authenticator {
  /** A later page can continue this session. */
  readonly stays: boolean;
  /** Rejects with `unauthenticated` when the app's token function fails or returns no string within 30 s. */
  firstFrame(): Promise<FirstFrame>;
  /** Keeps the secrets of a sign-in, unless {@link replace} has been called since the first frame. */
  keep(signedIn: Pick<SignedIn, "session" | "device" | "features">): void;
  /** Replaces the session secret. */
  replace(session: string): void;
  /** The password may have changed to this one; the server's answer was lost. It is tried when the secret is refused. */
  tryPassword(username: string, password: string): void;
  /** Stops waiting for the app's token function. */
  cancel(): void;
  /** Another page may use the session, until the next first frame. */
  release(): void;
  /**
   * The server refused the last frame. Returns whether another attempt can differ: with a new token or secret, or with
   * the password of {@link tryPassword}.
   */
  renew(): boolean;
}

const tokenTimeoutMs = 30_000;

/** Creates an authenticator that starts with `first`. */
export function createAuthenticator(
  first: Credentials | StoredCredentials,
  { app, profile, keeper: keeping }: OpenOptions,
  clock: Clock,
): Authenticator {
  let session = "session" in first ? first.session : undefined;
  let sent: string | undefined;
  let uncertain: Credentials | undefined;
  let credentials = first;
  let cancel = () => {};
  let keeper: SecretKeeper | undefined;
  let lastToken: string | undefined;
  let stays = false;

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

  /** The fields of every first frame. */
  function common(): Pick<ToServer["authenticate"], "version" | "app" | "profile" | "stay"> {
    const said = { app: app === "" ? undefined : app, profile: profile?.() };
    return { version: discoveryVersion, ...said, ...(keeper && { stay: true }) };
  }

  function authenticate(claim: Claim & Pick<ToServer["authenticate"], "remember">): FirstFrame {
    return { type: "authenticate", data: { ...common(), ...claim } };
  }

  function keepSecrets(device?: string): void {
    if (session !== undefined && stays) keeper?.keep(storedCredentials(session), device);
  }

  function storedCredentials(secret: string): StoredCredentials {
    if ("room" in credentials) return { room: credentials.room, name: credentials.name, session: secret };
    return lastToken === undefined ? { session: secret } : { token: lastToken, session: secret };
  }

  return {
    get stays() {
      return stays;
    },
    async firstFrame() {
      keeper = await keeping;
      const secret = session;
      const mayUse = secret === undefined || !keeper || (await keeper.claim(secret));
      sent = secret;
      const usable = mayUse ? secret : undefined;
      if ("token" in credentials) {
        lastToken = await resolveToken(credentials.token);
        return authenticate({ token: lastToken, session: usable });
      }
      // The server resumes the session, or lets the guest in again if it has ended.
      if ("room" in credentials) {
        const { room, name } = credentials;
        return authenticate({ room, name, session: usable });
      }
      if (secret !== undefined) return authenticate({ session: secret, fork: mayUse ? undefined : true });
      if ("device" in credentials) return authenticate({ device: credentials.device });
      const { password, ...who } = credentials as Extract<Credentials, { password: string }>;
      const remember = keeper?.device || undefined;
      if ("username" in who) return authenticate({ username: who.username, password, remember });
      return { type: "acceptInvite", data: { ...common(), invite: who.invite, password, remember } };
    },
    keep({ session: secret, device, features }) {
      stays = keeper !== undefined && features.includes("stay");
      if (secret !== sent) session = sent = secret;
      keepSecrets(device);
    },
    replace(secret) {
      session = secret;
      keepSecrets();
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
    release: () => keeper?.release(),
  };
}
