import { onMount } from "svelte";
import type { Handler, Module, Query } from "../../core/index.ts";
import { getClient } from "./client.ts";

/** What {@link useModule} takes beside the handler. */
export interface UseModuleOptions {
  /** Who may call; others get `forbidden`. Default `"*"`. */
  readonly allow?: Query | undefined;
}

/** Offers a module while the component is mounted. The handler reads runes as they are when a request comes. */
export function useModule<M extends Module | string>(module: M, handler: Handler<M>, options?: UseModuleOptions): void {
  const client = getClient();
  onMount(() => client.module(module, handler, options));
}
