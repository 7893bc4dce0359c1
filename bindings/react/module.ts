import { useEffect } from "react";
import { type Handler, type Module, overrideModule, type Query } from "../../core/index.ts";
import { useLatest } from "./latest.ts";
import { useClient } from "./provider.ts";

/** What {@link useModule} takes beside the handler. */
export interface UseModuleOptions {
  /** Who may call; others get `forbidden`. Default `"*"`. */
  readonly allow?: Query | undefined;
}

/**
 * Offers a module while the component is mounted. Requests reach the handler of the last render; a render registers
 * nothing anew. Of components that offer one module the last answers, and when it goes, the one before. Where the app
 * offers it without a component, throws `module-taken` into the nearest error boundary.
 */
export function useModule<M extends Module | string>(
  module: M,
  handler: Handler<M>,
  { allow = "*" }: UseModuleOptions = {},
): void {
  const client = useClient();
  const latestHandler = useLatest(handler);
  // Equal queries are one target: a query that is written inline is no reason to register again.
  const allowed = client.get(allow);
  useEffect(
    () => overrideModule(client, module, latestHandler, { allow: allowed.query }),
    [client, module, latestHandler, allowed],
  );
}
