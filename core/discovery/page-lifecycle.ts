/** What befalls the page that we run in. Each returns its undo. */
export interface PageLifecycle {
  /** It is shown, visible or online again, or has slept: what we believe of the network may be out of date. */
  onWake(listener: () => void): () => void;
  /** It goes away; `back` when it may be shown again as it was. */
  onHide(listener: (back: boolean) => void): () => void;
}

/** The parts of a window that tell. In a worker there is no `document`, outside of browsers there is neither. */
export interface LifecycleScope {
  readonly addEventListener?: EventTarget["addEventListener"] | undefined;
  readonly removeEventListener?: EventTarget["removeEventListener"] | undefined;
  readonly document?: (EventTarget & { readonly visibilityState: string }) | undefined;
}

// Often enough for a page that wakes to be right again before its user has looked around.
const beat = 2_000;

/** The page of `scope`; by default the one that this code runs in. */
export function createPageLifecycle(scope: LifecycleScope = globalThis): PageLifecycle {
  const on = (type: string, listener: (event: Event) => void) => {
    scope.addEventListener?.(type, listener);
    return () => scope.removeEventListener?.(type, listener);
  };
  return {
    onWake(listener) {
      const { document } = scope;
      const wake = () => listener();
      const look = () => document?.visibilityState === "visible" && listener();
      const undo = [on("online", wake), on("pageshow", wake), onSlept(wake)];
      document?.addEventListener("visibilitychange", look);
      return () => {
        for (const off of undo) off();
        document?.removeEventListener("visibilitychange", look);
      };
    },
    onHide(listener) {
      return on("pagehide", (event) => listener("persisted" in event && event.persisted === true));
    },
  };
}

/** Not every platform says that it slept; that timers stood still does. By the wall's clock: others may stop meanwhile. */
function onSlept(listener: () => void): () => void {
  let last = Date.now();
  const timer = setInterval(() => {
    const slept = Date.now() - last > 2 * beat;
    last = Date.now();
    if (slept) listener();
  }, beat);
  return () => clearInterval(timer);
}
