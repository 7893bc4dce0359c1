import { onMount } from "svelte";
import { derived, toStore } from "svelte/store";
import { type Handler, type Module, overrideModule, type Query } from "../../core/index.ts";
import { getClient } from "./client.ts";
import { getValue, type MaybeGetter } from "./current.ts";

/** Options of {@link useModule}. */
export interface UseModuleOptions {
  /** The peers that may call. Other callers get `forbidden`. Default: `"*"`. Pass a function if the query changes. */
  readonly allow?: MaybeGetter<Query> | undefined;
  /** Whether peers that are not verified get `forbidden`, too. Default false. Pass a function if it changes. */
  readonly verified?: MaybeGetter<boolean> | undefined;
}

/**
 * Registers a module while the component is mounted, including its outro transition. The handler reads the values that
 * runes have when a request arrives. If several components register the module, the last one answers; when it unmounts,
 * the previous one does.
 */
export function useModule<M extends Module | string>(
  module: M,
  handler: Handler<M>,
  { allow = "*", verified = false }: UseModuleOptions = {},
): void {
  const client = getClient();
  const options = derived([toStore(() => getValue(allow)), toStore(() => getValue(verified))], asOptions);
  onMount(() => {
    let undo = () => {};
    const stop = options.subscribe((now) => {
      undo();
      undo = overrideModule(client, module, handler, now);
    });
    return () => {
      stop();
      undo();
    };
  });
}

function asOptions([allow, verified]: readonly [allow: Query, verified: boolean]) {
  return { allow, verified };
}
