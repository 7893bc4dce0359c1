import { useEffect } from "react";
import type { Events } from "../../core/index.ts";
import { useLatest } from "./latest.ts";
import { useClient } from "./provider.ts";

/** Passes each event to the listener of the last render, while the component is mounted. */
export function useEvent<E extends keyof Events>(name: E, listener: Events[E]): void {
  const client = useClient();
  const latestListener = useLatest(listener);
  useEffect(() => client.on(name, latestListener), [client, name, latestListener]);
}
