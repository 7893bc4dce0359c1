import {
  getCurrentInstance,
  hasInjectionContext,
  inject,
  onMounted,
  type ShallowRef,
  shallowRef,
  ssrContextKey,
  watch,
} from "vue";
import type { Live } from "../../core/index.ts";

/**
 * The present value of whatever `live` gives, which may depend on refs, until the scope ends. A server has `offline`, and
 * so has a component that hydrates what came from there, until it is mounted.
 */
export function useLive<T>(live: () => Live<T>, offline: T): Readonly<ShallowRef<T>> {
  const current = shallowRef(offline) as ShallowRef<T>;
  const set = (value: T) => {
    current.value = value;
  };
  // A query and its peers change together, before anything renders.
  const follow = () =>
    watch(live, (now, _, onCleanup) => onCleanup(now.subscribe(set)), { immediate: true, flush: "sync" });
  if (getCurrentInstance()?.vnode.el) onMounted(follow);
  else if (!isServer()) follow();
  return current;
}

function isServer(): boolean {
  return hasInjectionContext() && inject(ssrContextKey, undefined) !== undefined;
}
