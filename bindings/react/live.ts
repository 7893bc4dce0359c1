import { useSyncExternalStore } from "react";
import type { Live } from "../../core/index.ts";

/** The current value of `live`. During server rendering and hydration: `offline`. */
export function useLive<T>(live: Live<T>, offline: T): T {
  return useSyncExternalStore(live.subscribe, live.peek, () => offline);
}
