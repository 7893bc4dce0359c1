import { useEffect } from "react";
import type { BonevalueError, Client, Credentials } from "../../core/index.ts";
import { useLatest } from "./latest.ts";

/** Where to sign in, and as whom. A `token` that is a function may be written inline; at each mount it signs in anew. */
export type Connect = { readonly host: string } & Credentials;

// Long enough for what unmounts a tree only to mount it again: StrictMode, a route, a hot reload. In ms.
const moment = 1_000;

interface Held {
  count: number;
  leaving?: ReturnType<typeof setTimeout>;
}

const heldClients = new WeakMap<Client, Held>();

/** Stays connected while it is mounted, as `connect` says. */
export function useConnection(
  client: Client,
  connect: Connect | undefined,
  onError: (error: BonevalueError) => void,
): void {
  // An object that is written inline is another one in each render: what it says is what counts.
  const key = connect && JSON.stringify(connect);
  const latestConnect = useLatest(() => connect);
  // One function for all attempts, so that to connect again is the same attempt.
  const latestToken = useLatest(() => askToken(connect));
  const latestOnError = useLatest(onError);

  useEffect(() => {
    const wish = latestConnect();
    if (key === undefined || wish === undefined) return leave(client);
    let mounted = true;
    const release = hold(client);
    const { host, ...credentials } = wish;
    const asked = hasTokenFunction(wish) ? { token: latestToken } : credentials;
    client.connect(host, asked).catch((error: BonevalueError) => {
      if (mounted && error.code !== "cancelled") latestOnError(error);
    });
    return () => {
      mounted = false;
      release();
    };
  }, [client, key, latestConnect, latestToken, latestOnError]);
}

function hold(client: Client): () => void {
  const held = heldClients.get(client) ?? { count: 0 };
  heldClients.set(client, held);
  held.count++;
  clearTimeout(held.leaving);
  return () => {
    held.count--;
    if (held.count === 0) held.leaving = setTimeout(() => leave(client), moment);
  };
}

/** Ends the connection of a client that was held and is not any more. */
function leave(client: Client): void {
  const held = heldClients.get(client);
  if (held?.count !== 0) return;
  clearTimeout(held.leaving);
  heldClients.delete(client);
  client.disconnect();
}

function hasTokenFunction(connect: Connect): connect is Connect & { token: () => string | Promise<string> } {
  return "token" in connect && typeof connect.token === "function";
}

function askToken(connect: Connect | undefined): string | Promise<string> {
  return connect && hasTokenFunction(connect) ? connect.token() : "";
}
