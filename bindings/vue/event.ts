import { watchPostEffect } from "vue";
import type { Events } from "../../core/index.ts";
import { useClient } from "./client.ts";

/** Passes each event to `listener`, from mount (outside components: from the next tick) until the scope ends. */
export function useEvent<E extends keyof Events>(name: E, listener: Events[E]): void {
  const client = useClient();
  watchPostEffect((onCleanup) => {
    onCleanup(client.on(name, listener));
  });
}
