import { getContext, onMount, setContext } from "svelte";
import type { Client } from "../../core/index.ts";

const clientKey = Symbol("bonevalue");

/** Options of {@link setClient}. */
export interface SetClientOptions {
  /**
   * Whether the client resumes the session that its `remember` has stored, at mount. `await client.resume()` resolves to whether
   * it has resumed. Default false.
   */
  readonly resume?: boolean | undefined;
}

/**
 * Provides the client to the components below this one. The app connects and disconnects it itself. If a component creates
 * the client, disconnect it when that component is destroyed; otherwise every hot update leaves one more peer online. On a
 * server, create one for each request.
 *
 * @example
 * const client = setClient(createClient());
 * onMount(() => {
 *   client.connect("p2p.example.com", username, password);
 *   return () => client.disconnect();
 * });
 */
export function setClient(client: Client, { resume = false }: SetClientOptions = {}): Client {
  if (resume) onMount(() => void client.resume().catch(console.error));
  return setContext(clientKey, client);
}

/** The client that a component above has set. Throws without one. */
export function getClient(): Client {
  const client = getContext<Client | undefined>(clientKey);
  if (!client) throw new Error("No bonevalue client found. Call setClient(client) in a component above this one.");
  return client;
}
