import { useCallback, useInsertionEffect, useRef } from "react";

/** One function for the component's whole life, which calls the `callback` of the last render. Not for use in render. */
export function useLatest<F>(callback: F): F {
  const latest = useRef(callback);
  useInsertionEffect(() => {
    latest.current = callback;
  });
  return useCallback((...args: unknown[]) => (latest.current as (...args: unknown[]) => unknown)(...args), []) as F;
}
