import { useSyncExternalStore } from "react";
import type { Live } from "../../core/index.ts";

/** The present value. A server, and a page while it hydrates, have `offline`. */
export function useLive<T>(live: Live<T>, offline: T): T {
  return useSyncExternalStore(live.subscribe, live.peek, () => offline);
}
