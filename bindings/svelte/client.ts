import { getContext, setContext } from "svelte";
import type { Client } from "../../core/index.ts";

const clientKey = Symbol("bonevalue");

/**
 * Gives the components below this one their client. Its connection is the app's to open and to close: a client that a
 * component makes should leave with it, or every hot update of that component leaves one online. On a server, make one
 * for each request.
 *
 * @example
 * const client = setClient(createClient());
 * onMount(() => {
 *   client.connect("p2p.example.com", username, password);
 *   return () => client.disconnect();
 * });
 */
export function setClient(client: Client): Client {
  return setContext(clientKey, client);
}

/** The client of a component above. Throws where there is none. */
export function getClient(): Client {
  const client = getContext<Client | undefined>(clientKey);
  if (!client) throw new Error("No bonevalue client here: call setClient(client) in a component above this one.");
  return client;
}
