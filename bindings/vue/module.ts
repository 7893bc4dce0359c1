import { type MaybeRefOrGetter, toValue, watchPostEffect } from "vue";
import { type Handler, type Module, overrideModule, type Query } from "../../core/index.ts";
import { useClient } from "./client.ts";

/** Options of {@link useModule}. */
export interface UseModuleOptions {
  /** The peers that may call. Other callers get `forbidden`. Default: `"*"`. */
  readonly allow?: MaybeRefOrGetter<Query | undefined>;
  /** Whether peers that are not verified get `forbidden`, too. Default false. */
  readonly verified?: MaybeRefOrGetter<boolean | undefined>;
}

/**
 * Registers a module from mount (outside components: from the next tick) until the scope ends, including while
 * `<KeepAlive>` has deactivated the component. Does nothing during server rendering. If several components register the
 * module, the last one answers; when it unmounts, the previous one does.
 */
export function useModule<M extends Module | string>(
  module: M,
  handler: Handler<M>,
  options: UseModuleOptions = {},
): void {
  const client = useClient();
  watchPostEffect((onCleanup) => {
    const [allow, verified] = [toValue(options.allow), toValue(options.verified)];
    onCleanup(overrideModule(client, module, handler, { allow, verified }));
  });
}
