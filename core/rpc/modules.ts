import { requireFunction } from "../check-arguments.ts";
import { BonevalueError } from "../errors.ts";
import type { Query } from "../peers/query.ts";
import type { HandlerContext, Module } from "./module.ts";

/** A module that this client offers. */
export interface Offer {
  readonly module: Module;
  readonly handler: (exchange: HandlerContext<any>) => unknown;
  /** The peers that may call it. */
  readonly allow: Query;
  /** Whether it is offered under a bare name, so that the handler may answer by callback. */
  readonly bare: boolean;
}

/** The modules that this client offers, by name. */
export interface Modules {
  get(name: string): Offer | undefined;
  /** Offers a module; returns its undo. Throws `module-taken`, and `invalid-request` when the handler is no function. */
  add(offer: Offer): () => void;
}

/** Creates an empty list. A Map, so that no name can be mistaken for a property. */
export function createModules(): Modules {
  const offers = new Map<string, Offer>();
  return {
    get: (name) => offers.get(name),
    add(offer) {
      const { name } = offer.module;
      requireFunction(offer.handler, `The handler of "${name}"`);
      if (offers.has(name)) {
        throw new BonevalueError("module-taken", `A module named "${name}" is already offered; withdraw it first.`);
      }
      offers.set(name, offer);
      return () => {
        if (offers.get(name) === offer) offers.delete(name);
      };
    },
  };
}
