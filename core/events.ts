import { createNanoEvents } from "nanoevents";
import { requireFunction } from "./check-arguments.ts";

/** Typed events, told to listeners in the order in which these came. One that throws is reported and stops nobody. */
export interface Emitter<Events> {
  on<E extends keyof Events>(event: E, listener: Events[E]): () => void;
  emit<E extends keyof Events>(event: E, ...args: Events[E] extends (...args: infer A) => void ? A : never): void;
  hasListener(event: keyof Events): boolean;
}

/** An {@link Emitter} over nanoevents, which by itself lets one listener's error end the round and mixes up equal ones. */
export function createEmitter<Events>(): Emitter<Events> {
  const emitter = createNanoEvents<Record<PropertyKey, (...args: unknown[]) => void>>();
  return {
    on(event, listener) {
      requireFunction(listener, "A listener");
      let active = true;
      const off = emitter.on(event, (...args) => {
        if (active) guard(() => (listener as (...args: unknown[]) => void)(...args));
      });
      return () => {
        active = false;
        off();
      };
    },
    emit: (event, ...args) => emitter.emit(event, ...(args as never)),
    hasListener: (event) => (emitter.events[event]?.length ?? 0) > 0,
  };
}

/** Runs the app's own code; what it throws is reported, and never reaches ours. */
export function guard(run: () => void): void {
  try {
    run();
  } catch (error) {
    report(error);
  }
}

/** Puts an error of the app's own code where its uncaught errors go: `window.onerror`, or the console. */
export function report(error: unknown): void {
  if (typeof reportError === "function") reportError(error);
  else console.error(error);
}
