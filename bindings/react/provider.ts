import { createContext, createElement, type ReactElement, type ReactNode, useContext } from "react";
import type { BonevalueError, Client } from "../../core/index.ts";
import { type Connect, useConnection } from "./connection.ts";

/** Props of {@link BonevalueProvider}. */
export interface BonevalueProviderProps {
  /** Create it outside render, so that it outlives the tree. On a server, create one for each request. */
  readonly client: Client;
  /**
   * While set, the provider stays signed in: it connects at mount, and disconnects one second after the last provider of
   * this client unmounts. Changing it switches the server or account. Removing it disconnects at once, unless another provider
   * uses the client. Without it, the app connects the client itself.
   */
  readonly connect?: Connect | undefined;
  /**
   * Whether the provider resumes the session that the client's `remember` has stored, at mount and before it tries `connect`. It
   * then stays signed in as with `connect`. Default false.
   */
  readonly resume?: boolean | undefined;
  /** Called when `resume` or `connect` fails. Default: `console.error`. */
  readonly onError?: ((error: BonevalueError) => void) | undefined;
  /** The components that use the client. */
  readonly children?: ReactNode;
}

const ClientContext = createContext<Client | undefined>(undefined);

/**
 * Provides the client to the hooks below it.
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
  resume = false,
  onError = console.error,
  children,
}: BonevalueProviderProps): ReactElement {
  useConnection(client, resume, connect, onError);
  return createElement(ClientContext.Provider, { value: client }, children);
}

/** The provider's client. Throws without a provider. */
export function useClient(): Client {
  const client = useContext(ClientContext);
  if (!client) throw new Error("No bonevalue client found. Wrap this tree in <BonevalueProvider client={client}>.");
  return client;
}
