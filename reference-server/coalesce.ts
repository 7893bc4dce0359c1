/**
 * Wraps `run` so that only one run is active at a time. Calls during a run share one further run, so that no call resolves
 * with data that is older than the call.
 */
export function coalesce(run: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  return function request(): Promise<void> {
    if (current === undefined) {
      current = run().finally(() => {
        current = undefined;
      });
      return current;
    }
    next ??= current
      .catch(() => {})
      .then(() => {
        next = undefined;
        return request();
      });
    return next;
  };
}
