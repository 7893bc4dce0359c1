import type { Clock } from "../clock.ts";
import { encodeText } from "../encode-text.ts";

/** The right of one page to use a session whose secret several pages may have. */
export interface SessionLock {
  /**
   * Takes the lock of this secret, and releases the lock of another. Resolves to false if another page still has it after
   * 0.5 s. A page that is being reloaded has released it by then.
   */
  claim(secret: string): Promise<boolean>;
  release(): void;
}

interface Claim {
  readonly secret: string;
  readonly granted: Promise<boolean>;
  end(): void;
}

const waitMs = 500;

/** Creates a lock on the Web Locks of this origin. Their names are hashes, because every page of the origin can list them. */
export function createSessionLock(locks: Pick<LockManager, "request">, clock: Clock): SessionLock {
  let current: Claim | undefined;

  function start(secret: string): Claim {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const { promise: granted, resolve } = Promise.withResolvers<boolean>();
    const claim: Claim = { secret, granted, end };
    void hold(secret, ended, () => resolve(true)).then(() => {
      resolve(false);
      if (current === claim) current = undefined;
    });
    return claim;
  }

  /** Requests the lock and holds it until `ended`. Resolves when this page does not have it any more. */
  async function hold(secret: string, ended: Promise<void>, onGranted: () => void): Promise<void> {
    const name = `bonevalue:${await hashOf(secret)}`;
    const waiting = new AbortController();
    const undoTimeout = clock.after(waitMs, () => waiting.abort());
    void ended.then(() => waiting.abort());
    // Once granted, the lock stays although the request is aborted.
    const run = () => {
      onGranted();
      return ended;
    };
    // Rejects when the request was aborted, or the page is about to go.
    await locks.request(name, { signal: waiting.signal }, run).catch(() => {});
    undoTimeout();
  }

  function release(): void {
    current?.end();
    current = undefined;
  }

  return {
    async claim(secret) {
      if (current?.secret !== secret) {
        release();
        current = start(secret);
      }
      const claim = current;
      return (await claim.granted) && current === claim;
    },
    release,
  };
}

async function hashOf(secret: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", encodeText(secret)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
