import { createContext, createElement, type ReactElement, type ReactNode, useContext } from "react";
import type { BonevalueError, Client } from "../../core/index.ts";
import { type Connect, useConnection } from "./connection.ts";

/** What {@link BonevalueProvider} takes. */
export interface BonevalueProviderProps {
  /** Made outside render, so that it outlives the tree; on a server, one for each request. */
  readonly client: Client;
  /**
   * Connects when the first provider of this client mounts, and disconnects a second after the last has gone, or at once
   * when it is taken away; other values take over. Without it the connection is the app's.
   */
  readonly connect?: Connect | undefined;
  /** Why `connect` failed. Default: it is logged. */
  readonly onError?: ((error: BonevalueError) => void) | undefined;
  readonly children?: ReactNode;
}

const ClientContext = createContext<Client | undefined>(undefined);

/**
 * Gives the hooks below it their client.
 *
 * @example
 * const client = createClient();
 * createRoot(element).render(
 *   <BonevalueProvider client={client} connect={{ host: "p2p.example.com", username, password }}>
 *     <App />
 *   </BonevalueProvider>,
 * );
 */
export function BonevalueProvider({
  client,
  connect,
  onError = console.error,
  children,
}: BonevalueProviderProps): ReactElement {
  useConnection(client, connect, onError);
  return createElement(ClientContext.Provider, { value: client }, children);
}

/** The provider's client. Throws where there is no provider. */
export function useClient(): Client {
  const client = useContext(ClientContext);
  if (!client) throw new Error("No bonevalue client here: put a <BonevalueProvider client={client}> around this tree.");
  return client;
}
