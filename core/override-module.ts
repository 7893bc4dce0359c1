import type { Client } from "./client.ts";
import type { Query } from "./peers/query.ts";
import { type Handler, type Module, moduleOf } from "./rpc/module.ts";

interface Layer {
  add(): () => void;
  undo(): void;
}

const stacks = new WeakMap<Client, Map<string, Layer[]>>();

/**
 * Offers a module as `client.module` does, over what was offered by the same name in this way: the last one answers, and
 * when it goes, the one before it does again. For views that overlap: one leaves while the next is there already. Returns
 * the undo. Throws as `client.module`: `module-taken` where the name was offered by that.
 */
export function overrideModule<M extends Module | string>(
  client: Client,
  module: M,
  handler: Handler<M>,
  options?: { allow?: Query | undefined },
): () => void {
  const { name } = moduleOf(module);
  const stack = stackOf(client, name);
  const layer: Layer = { add: () => client.module(module, handler, options), undo: () => {} };
  stack.at(-1)?.undo();
  try {
    layer.undo = layer.add();
    stack.push(layer);
  } catch (error) {
    restoreTop(stack);
    throw error;
  }
  return () => {
    const at = stack.indexOf(layer);
    if (at < 0) return;
    stack.splice(at, 1);
    layer.undo();
    if (at === stack.length) restoreTop(stack);
    if (stack.length === 0) stacks.get(client)?.delete(name);
  };
}

function restoreTop(stack: readonly Layer[]): void {
  const last = stack.at(-1);
  if (last) last.undo = last.add();
}

function stackOf(client: Client, name: string): Layer[] {
  const ofClient = stacks.get(client) ?? new Map<string, Layer[]>();
  stacks.set(client, ofClient);
  const stack = ofClient.get(name) ?? [];
  ofClient.set(name, stack);
  return stack;
}
