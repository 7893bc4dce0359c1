import { useEffect, useRef } from "react";
import type { BonevalueError, Client, Credentials } from "../../core/index.ts";
import { useLatest } from "./latest.ts";

/** The server and the credentials. A `token` function may be inline; each mount calls the latest one to sign in. */
export type Connect = {
  /** The discovery server, as `Client.connect` takes it. */
  readonly host: string;
} & Credentials;

// Long enough for a tree that unmounts only to mount again: StrictMode, a route change, a hot reload.
const disconnectDelayMs = 1_000;

interface Usage {
  /** Mounted providers that connect this client. */
  count: number;
  disconnectTimer?: ReturnType<typeof setTimeout>;
}

const usages = new WeakMap<Client, Usage>();

/** Connects `client` while the component is mounted and `connect` is set. With `resume`, resumes at mount first. */
export function useConnection(
  client: Client,
  resume: boolean,
  connect: Connect | undefined,
  onError: (error: BonevalueError) => void,
): void {
  // An inline object is a new one in each render, so compare its content.
  const key = connect && JSON.stringify(connect);
  const latestConnect = useLatest(() => connect);
  // With one stable function, a repeated `connect` joins the attempt that is running.
  const latestToken = useLatest(() => getToken(connect));
  const latestOnError = useLatest(onError);
  // The key of the first mount, until it changes. StrictMode runs the first effect twice.
  const first = useRef<{ readonly key: string | undefined } | undefined>({ key });

  useEffect(() => {
    if (first.current?.key !== key) first.current = undefined;
    const resumes = resume && first.current !== undefined;
    const connectNow = latestConnect();
    if (!resumes && connectNow === undefined) return disconnectIfUnused(client);
    let mounted = true;
    const release = retain(client);

    async function signIn(): Promise<void> {
      if (resumes && (await hasResumed(client, connectNow !== undefined))) return;
      if (!mounted || !connectNow) return;
      const { host, ...credentials } = connectNow;
      await client.connect(host, hasTokenFunction(connectNow) ? { token: latestToken } : credentials);
    }

    signIn().catch((error: BonevalueError) => {
      if (mounted && error.code !== "cancelled") latestOnError(error);
    });
    return () => {
      mounted = false;
      release();
    };
  }, [client, resume, key, latestConnect, latestToken, latestOnError]);
}

/** Resumes. With `fallback` a failure counts as nothing to resume, because the app then connects. */
function hasResumed(client: Client, fallback: boolean): Promise<boolean> {
  return fallback ? client.resume().catch(() => false) : client.resume();
}

/** Counts one more user of the client. The returned function releases it; the last release disconnects after a delay. */
function retain(client: Client): () => void {
  const usage = usages.get(client) ?? { count: 0 };
  usages.set(client, usage);
  usage.count++;
  clearTimeout(usage.disconnectTimer);
  return () => {
    usage.count--;
    if (usage.count === 0) usage.disconnectTimer = setTimeout(() => disconnectIfUnused(client), disconnectDelayMs);
  };
}

/** Disconnects a client that was retained and that every user has released. */
function disconnectIfUnused(client: Client): void {
  const usage = usages.get(client);
  if (usage?.count !== 0) return;
  clearTimeout(usage.disconnectTimer);
  usages.delete(client);
  client.disconnect();
}

function hasTokenFunction(connect: Connect): connect is Connect & { token: () => string | Promise<string> } {
  return "token" in connect && typeof connect.token === "function";
}

function getToken(connect: Connect | undefined): string | Promise<string> {
  return connect && hasTokenFunction(connect) ? connect.token() : "";
}
