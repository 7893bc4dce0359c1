import type { Client } from "./client.ts";
import type { Query } from "./peers/query.ts";
import { type Handler, type Module, moduleOf } from "./rpc/module.ts";

interface Layer {
  add(): () => void;
  undo(): void;
}

const stacks = new WeakMap<Client, Map<string, Layer[]>>();

/**
 * Offers a module like `client.module`, but on top of an earlier `overrideModule` of the same name. The latest handler
 * answers; its undo restores the one before. Use it for views that overlap, when the next mounts before the last
 * unmounts. Returns the undo. Throws `module-taken` if `client.module` has offered the name.
 */
export function overrideModule<M extends Module | string>(
  client: Client,
  module: M,
  handler: Handler<M>,
  options?: { allow?: Query | undefined; verified?: boolean | undefined },
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
