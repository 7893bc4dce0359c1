import { useEffect } from "react";
import { type Handler, type Module, overrideModule, type Query } from "../../core/index.ts";
import { useLatest } from "./latest.ts";
import { useClient } from "./provider.ts";

/** Options of {@link useModule}. */
export interface UseModuleOptions {
  /** The peers that may call. Other callers get `forbidden`. Default: `"*"`. */
  readonly allow?: Query | undefined;
  /** Whether peers that are not verified get `forbidden`, too. Default false. */
  readonly verified?: boolean | undefined;
}

/**
 * Registers a module while the component is mounted. Requests reach the handler of the last render; rendering does not
 * register the module again. If several components register it, the last one answers; when it unmounts, the previous one
 * does. If the app has registered the module with `client.module`, throws `module-taken` to the nearest error boundary.
 */
export function useModule<M extends Module | string>(
  module: M,
  handler: Handler<M>,
  { allow = "*", verified }: UseModuleOptions = {},
): void {
  const client = useClient();
  const latestHandler = useLatest(handler);
  // Equal queries share one target, so an inline query does not register the module again.
  const allowed = client.get(allow);
  useEffect(
    () => overrideModule(client, module, latestHandler, { allow: allowed.query, verified }),
    [client, module, latestHandler, allowed, verified],
  );
}
