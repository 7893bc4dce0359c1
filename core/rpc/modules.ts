import { requireFunction } from "../check-arguments.ts";
import { type Clock, microtask } from "../clock.ts";
import { BonevalueError } from "../errors.ts";
import type { Query } from "../peers/query.ts";
import type { HandlerContext, Module } from "./module.ts";

/** A module that this client offers. */
export interface Offer {
  readonly module: Module;
  readonly handler: (context: HandlerContext<any>) => unknown;
  /** The peers that may call it. */
  readonly allow: Query;
  /** Refuses peers that are not verified. */
  readonly verified?: boolean | undefined;
  /** Whether it is offered under a bare name, so that the handler may answer by callback. */
  readonly bare: boolean;
}

/** The modules that this client offers, by name. */
export interface Modules {
  get(name: string): Offer | undefined;
  /** Offers a module; returns its undo. Throws `module-taken`, and `invalid-request` when the handler is no function. */
  add(offer: Offer): () => void;
  /** The page has signed in: it may still be about to offer modules. */
  onSignIn(): void;
  /** How long requests wait for a module that is not offered, in ms from now. */
  graceLeft(name: string): number;
  /** Runs `task` once, soon after the module was offered. Returns the undo. */
  whenOffered(name: string, task: () => void): () => void;
}

/**
 * Creates an empty list. Requests wait for a module that is not offered until `grace` ms after the page signed in, and
 * half as long after its handler was withdrawn, since a component that mounts again registers it again.
 */
export function createModules({ now }: Pick<Clock, "now">, grace = 0): Modules {
  // A Map, so that no name can be mistaken for a property.
  const offers = new Map<string, Offer>();
  const waiting = new Set<{ readonly name: string; readonly task: () => void }>();
  // The time until which requests wait, for every module and for each withdrawn module. The earliest is first.
  let waitUntil = Number.NEGATIVE_INFINITY;
  const withdrawnUntil = new Map<string, number>();

  function onWithdrawn(name: string): void {
    for (const [earlier, until] of withdrawnUntil) {
      if (until > now()) break;
      withdrawnUntil.delete(earlier);
    }
    withdrawnUntil.delete(name);
    withdrawnUntil.set(name, now() + grace / 2);
  }

  return {
    get: (name) => offers.get(name),
    add(offer) {
      const { name } = offer.module;
      requireFunction(offer.handler, `The handler of "${name}"`);
      if (offers.has(name)) {
        throw new BonevalueError("module-taken", `A module named "${name}" is already offered. Withdraw it first.`);
      }
      offers.set(name, offer);
      const woken = [...waiting].filter((waiter) => waiter.name === name);
      microtask(() => {
        for (const waiter of woken) if (waiting.delete(waiter)) waiter.task();
      });
      return () => {
        if (offers.get(name) !== offer) return;
        offers.delete(name);
        onWithdrawn(name);
      };
    },
    onSignIn() {
      waitUntil = now() + grace;
    },
    graceLeft: (name) => Math.max(waitUntil, withdrawnUntil.get(name) ?? waitUntil) - now(),
    whenOffered(name, task) {
      const waiter = { name, task };
      waiting.add(waiter);
      return () => waiting.delete(waiter);
    },
  };
}
