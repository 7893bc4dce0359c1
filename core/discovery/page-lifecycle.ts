/** The events of the page that a session depends on. Each method returns its undo. */
export interface PageLifecycle {
  /** The page is shown, visible or online again, or the machine slept: the state of the network may be out of date. */
  onWake(listener: () => void): () => void;
  /**
   * The page goes away. `back`: it may return from the back/forward cache. Runs after the app's own `pagehide` and
   * `visibilitychange` listeners, so that they can still use the client.
   */
  onHide(listener: (back: boolean) => void): () => void;
}

/** The members of a window that a {@link PageLifecycle} uses. Workers have no `document`; Node has neither. */
export interface LifecycleScope {
  readonly addEventListener?: EventTarget["addEventListener"] | undefined;
  readonly removeEventListener?: EventTarget["removeEventListener"] | undefined;
  readonly document?: { readonly visibilityState: string } | undefined;
}

// Short enough that a page which wakes recovers before the user notices.
const intervalMs = 2_000;

/** Creates the lifecycle of the page of `scope`, by default this one. */
export function createPageLifecycle(scope: LifecycleScope = globalThis): PageLifecycle {
  const on = (type: string, listener: (event: Event) => void) => {
    scope.addEventListener?.(type, listener);
    return () => scope.removeEventListener?.(type, listener);
  };
  return {
    onWake(listener) {
      const wake = () => listener();
      const onVisibilityChange = () => scope.document?.visibilityState === "visible" && listener();
      const undos = [
        on("online", wake),
        on("pageshow", wake),
        on("visibilitychange", onVisibilityChange),
        onSlept(wake),
      ];
      return () => {
        for (const undo of undos) undo();
      };
    },
    onHide(listener) {
      const { document } = scope;
      let back: boolean | undefined;
      let undoPageHide = on("pagehide", onPageHide);
      // The event bubbles, so on the window this runs after the app's listeners on the document.
      const undoVisibility = on("visibilitychange", onVisibilityChange);

      function onPageHide(event: Event): void {
        back = "persisted" in event && event.persisted === true;
        if (document?.visibilityState !== "visible") hide();
      }

      // A visible page becomes hidden right after `pagehide`. A page that is hidden already does not, so the listener moves
      // behind the listeners that the app has added so far.
      function onVisibilityChange(): void {
        hide();
        undoPageHide();
        undoPageHide = on("pagehide", onPageHide);
      }

      function hide(): void {
        if (back === undefined) return;
        const mayReturn = back;
        back = undefined;
        listener(mayReturn);
      }

      return () => {
        undoPageHide();
        undoVisibility();
      };
    },
  };
}

/** Not every platform has an event for sleep, but timers stand still. Uses Date: monotonic clocks may stop during sleep. */
function onSlept(listener: () => void): () => void {
  let last = Date.now();
  const timer = setInterval(() => {
    const hasSlept = Date.now() - last > 2 * intervalMs;
    last = Date.now();
    if (hasSlept) listener();
  }, intervalMs);
  return () => clearInterval(timer);
}
