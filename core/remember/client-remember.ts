import { isText } from "../check-arguments.ts";
import type { Clock } from "../clock.ts";
import type { Credentials, Discovery, SecretKeeper, StoredCredentials } from "../discovery/discovery.ts";
import { BonevalueError } from "../errors.ts";
import { createLazyPart } from "../lazy-part.ts";
import type { Remember, RememberOptions, RememberParts } from "./remember.ts";

// The part of staying signed in that every page loads. The rest is loaded by the first use: most clients do not use it.

/** The option `remember`, and the parts of the client that it uses. */
export interface ClientRememberOptions {
  /** The option of the client, unchecked. */
  readonly remember: unknown;
  readonly app: string;
  readonly session: RememberParts["session"];
  readonly discovery: Discovery;
  readonly clock: Clock;
  /** A sign-in may follow soon. */
  onResume(): void;
  failed(error: BonevalueError): void;
}

/** How a client starts and ends its sessions. Without the option nothing is stored. */
export interface ClientRemember {
  /** Returns the keeper of a new session's secrets. */
  keeperFor(host: string, credentials: Credentials | StoredCredentials): Promise<SecretKeeper | undefined> | undefined;
  /** Signs in with the stored secret. Concurrent calls share one attempt. */
  resume(): Promise<boolean>;
  /** Ends the session and every attempt to resume one. The stored secret remains. */
  disconnect(): Promise<void>;
  /** As `disconnect`, and forgets the stored secret, here and at the server. */
  signOut(): Promise<void>;
}

/** Throws `invalid-request` for an invalid option. */
export function createClientRemember(client: ClientRememberOptions): ClientRemember {
  const { session, failed } = client;
  const options = check(client.remember, client.app);
  const part = createLazyPart(() => import("./remember.ts"));
  let remember: Remember | undefined;
  let resuming: Promise<boolean> | undefined;

  async function load(options: RememberOptions): Promise<Remember> {
    const { createRemember } = await part.load();
    remember ??= createRemember(options, client);
    return remember;
  }

  return {
    keeperFor(host, credentials) {
      return (
        options &&
        load(options).then(
          (loaded) => loaded.keeperFor(host, credentials),
          // Without the file the app signs in, but the next page cannot resume.
          (error) => void failed(error),
        )
      );
    },
    resume() {
      if (!options) return Promise.resolve(false);
      client.onResume();
      const isWanted = () => resuming === attempt;
      const attempt: Promise<boolean> =
        resuming ??
        load(options)
          .then((loaded) => loaded.resume(isWanted))
          .finally(() => {
            if (isWanted()) resuming = undefined;
          });
      resuming = attempt;
      return attempt;
    },
    disconnect() {
      resuming = undefined;
      return session.disconnect();
    },
    async signOut() {
      resuming = undefined;
      if (!options) return session.disconnect(true);
      const loaded = await load(options).catch(async (error: unknown) => {
        // The session ends without the script, too. The stored secret is of no use then.
        await session.disconnect(true);
        throw error;
      });
      return loaded.signOut();
    },
  };
}

function check(given: unknown, app: string): RememberOptions | undefined {
  if (given === undefined) return undefined;
  const { in: place = given, key = app } = Object(given);
  if ((place === "tab" || place === "device") && isText(key)) return { in: place, key, app };
  throw new BonevalueError("invalid-request", '`remember` must be "tab", "device", or { in, key }.');
}
