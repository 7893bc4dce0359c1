import { createNanoEvents } from "nanoevents";
import { requireFunction } from "./check-arguments.ts";

/** Typed events. Listeners run in the order in which they were added. An error in one is reported and does not stop the others. */
export interface Emitter<Events> {
  on<E extends keyof Events>(event: E, listener: Events[E]): () => void;
  emit<E extends keyof Events>(event: E, ...args: Events[E] extends (...args: infer A) => void ? A : never): void;
  hasListener(event: keyof Events): boolean;
}

/** Creates an {@link Emitter} with nanoevents, whose listeners are wrapped: each has its own undo and its own error. */
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

/** Runs code of the app. An error in it is reported instead of thrown. */
export function guard(run: () => void): void {
  try {
    run();
  } catch (error) {
    report(error);
  }
}

/** Reports an error of the app as uncaught errors are: to `window.onerror`, or to the console. */
export function report(error: unknown): void {
  if (typeof reportError === "function") reportError(error);
  else console.error(error);
}
