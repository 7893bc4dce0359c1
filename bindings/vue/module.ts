import { type MaybeRefOrGetter, toValue, watchPostEffect } from "vue";
import { type Handler, type Module, overrideModule, type Query } from "../../core/index.ts";
import { useClient } from "./client.ts";

/** What {@link useModule} takes beside the handler. */
export interface UseModuleOptions {
  /** Who may call; others get `forbidden`. Default `"*"`. */
  readonly allow?: MaybeRefOrGetter<Query | undefined>;
}

/**
 * Offers a module from the mount of the component, or the next tick of another scope, until its end: also while
 * `<KeepAlive>` has put the component away. Never on a server. Of components that offer one module the last answers, and
 * when it goes, the one before.
 */
export function useModule<M extends Module | string>(
  module: M,
  handler: Handler<M>,
  options: UseModuleOptions = {},
): void {
  const client = useClient();
  watchPostEffect((onCleanup) => {
    onCleanup(overrideModule(client, module, handler, { allow: toValue(options.allow) }));
  });
}
