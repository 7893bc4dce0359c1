import { requireFunction } from "../check-arguments.ts";
import { BonevalueError } from "../errors.ts";
import type { Query } from "../peers/query.ts";
import type { HandlerContext, Module } from "./module.ts";

/** A module that this client offers. */
export interface Offer {
  readonly module: Module;
  readonly handler: (exchange: HandlerContext<any>) => unknown;
  /** Who may call it. */
  readonly allow: Query;
  /** Offered under a bare name, so that the handler may answer by callback. */
  readonly bare: boolean;
}

/** What this client offers, by name. Names are data: none of them can be mistaken for a property. */
export interface Modules {
  get(name: string): Offer | undefined;
  /** Offers a module; returns its undo. Throws `module-taken`, and `invalid-request` where there is no handler. */
  add(offer: Offer): () => void;
}

/** Nothing is offered yet. */
export function createModules(): Modules {
  const offers = new Map<string, Offer>();
  return {
    get: (name) => offers.get(name),
    add(offer) {
      const { name } = offer.module;
      requireFunction(offer.handler, `The handler of "${name}"`);
      if (offers.has(name)) {
        throw new BonevalueError("module-taken", `A module named "${name}" is offered already; withdraw it first.`);
      }
      offers.set(name, offer);
      return () => {
        if (offers.get(name) === offer) offers.delete(name);
      };
    },
  };
}
