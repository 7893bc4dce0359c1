import { onMount } from "svelte";
import type { Events } from "../../core/index.ts";
import { getClient } from "./client.ts";

/** Passes each event to `listener` while the component is mounted. */
export function useEvent<E extends keyof Events>(name: E, listener: Events[E]): void {
  const client = getClient();
  onMount(() => client.on(name, listener));
}
