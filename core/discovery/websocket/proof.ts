import { BonevalueError } from "../../errors.ts";
import type { Credentials } from "../discovery.ts";
import { type Proof as Claim, discoveryVersion, type ToServer } from "../messages.ts";

/** The first frame of a socket, which says whose it is. */
export type Opening = {
  readonly [Type in "authenticate" | "acceptInvite"]: { readonly type: Type; readonly data: ToServer[Type] };
}["authenticate" | "acceptInvite"];

/** Who we are, at first by our credentials, then by the session's secret, which is nowhere but in memory. */
export interface Proof {
  /** Rejects with `unauthenticated` when the app's token function fails. */
  opening(): Promise<Opening>;
  /** Signed in, or given a new secret. */
  keep(session: string): void;
  /** Whether another `opening` may say something else: tokens from a function. */
  readonly renewable: boolean;
}

/** Begins with `credentials`. */
export function createProof(credentials: Credentials): Proof {
  let session: string | undefined;
  return {
    renewable: "token" in credentials && typeof credentials.token === "function",
    async opening() {
      if ("token" in credentials) return authenticate({ token: await tokenOf(credentials.token), session });
      if (session !== undefined) return authenticate({ session });
      if ("username" in credentials)
        return authenticate({ username: credentials.username, password: credentials.password });
      const { invite, password } = credentials;
      return { type: "acceptInvite", data: { version: discoveryVersion, invite, password } };
    },
    keep(secret) {
      session = secret;
    },
  };
}

function authenticate(claim: Claim): Opening {
  return { type: "authenticate", data: { version: discoveryVersion, ...claim } };
}

async function tokenOf(token: string | (() => string | Promise<string>)): Promise<string> {
  try {
    return typeof token === "string" ? token : await token();
  } catch (cause) {
    throw new BonevalueError("unauthenticated", "The app's token function failed: see the cause.", { cause });
  }
}
