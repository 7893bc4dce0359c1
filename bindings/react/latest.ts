import { useCallback, useInsertionEffect, useRef } from "react";

/** Returns a stable function that calls the `callback` of the last render. Do not call it during render. */
export function useLatest<F>(callback: F): F {
  const latest = useRef(callback);
  useInsertionEffect(() => {
    latest.current = callback;
  });
  return useCallback((...args: unknown[]) => (latest.current as (...args: unknown[]) => unknown)(...args), []) as F;
}
