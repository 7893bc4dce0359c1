import { onMount } from "svelte";
import { toStore } from "svelte/store";
import { type Handler, type Module, overrideModule, type Query } from "../../core/index.ts";
import { getClient } from "./client.ts";
import { given, type MaybeGetter } from "./current.ts";

/** What {@link useModule} takes beside the handler. */
export interface UseModuleOptions {
  /** Who may call; others get `forbidden`. Default `"*"`. A query that changes is given as a function. */
  readonly allow?: MaybeGetter<Query> | undefined;
}

/**
 * Offers a module while the component is mounted: also during a transition by which it leaves. The handler reads runes as
 * they are when a request comes. Of components that offer one module the last answers, and when it goes, the one before.
 */
export function useModule<M extends Module | string>(
  module: M,
  handler: Handler<M>,
  { allow = "*" }: UseModuleOptions = {},
): void {
  const client = getClient();
  const allowed = toStore(() => given(allow));
  onMount(() => {
    let undo = () => {};
    const stop = allowed.subscribe((query) => {
      undo();
      undo = overrideModule(client, module, handler, { allow: query });
    });
    return () => {
      stop();
      undo();
    };
  });
}
