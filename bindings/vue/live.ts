import { getCurrentInstance, getCurrentScope, onMounted, type ShallowRef, shallowRef, watch } from "vue";
import type { Live } from "../../core/index.ts";

/**
 * The current value of the `Live` that `live` returns, until the scope ends. `live` may depend on refs. During hydration
 * the value is `offline`, as in the server-rendered page.
 */
export function useLive<T>(live: () => Live<T>, offline: T): Readonly<ShallowRef<T>> {
  const current = shallowRef(offline) as ShallowRef<T>;
  const set = (value: T) => {
    current.value = value;
  };
  // Synchronous, so that a query and its peers never differ in a render.
  const follow = () =>
    watch(live, (now, _, onCleanup) => onCleanup(now.subscribe(set)), { immediate: true, flush: "sync" });
  // The scope need not be the component's: a component may create a store that several components share.
  const scope = getCurrentScope();
  if (getCurrentInstance()?.vnode.el) onMounted(() => scope?.run(follow));
  else follow();
  return current;
}
