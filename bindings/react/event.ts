import { useEffect } from "react";
import type { Events } from "../../core/index.ts";
import { useLatest } from "./latest.ts";
import { useClient } from "./provider.ts";

/** Calls the listener of the last render at each such event, while the component is mounted. */
export function useEvent<E extends keyof Events>(name: E, listener: Events[E]): void {
  const client = useClient();
  const latestListener = useLatest(listener);
  useEffect(() => client.on(name, latestListener), [client, name, latestListener]);
}
