import { watchPostEffect } from "vue";
import type { Events } from "../../core/index.ts";
import { useClient } from "./client.ts";

/** Calls `listener` at each such event, from the mount of the component, or the next tick of another scope, until its end. */
export function useEvent<E extends keyof Events>(name: E, listener: Events[E]): void {
  const client = useClient();
  watchPostEffect((onCleanup) => {
    onCleanup(client.on(name, listener));
  });
}
