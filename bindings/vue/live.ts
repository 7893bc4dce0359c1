import { getCurrentInstance, getCurrentScope, onMounted, type ShallowRef, shallowRef, watch } from "vue";
import type { Live } from "../../core/index.ts";

/**
 * The present value of whatever `live` gives, which may depend on refs, until the scope ends. A component that hydrates
 * has `offline`, as it had on the server, until it is mounted.
 */
export function useLive<T>(live: () => Live<T>, offline: T): Readonly<ShallowRef<T>> {
  const current = shallowRef(offline) as ShallowRef<T>;
  const set = (value: T) => {
    current.value = value;
  };
  // A query and its peers change together, before anything renders.
  const follow = () =>
    watch(live, (now, _, onCleanup) => onCleanup(now.subscribe(set)), { immediate: true, flush: "sync" });
  // The scope may be another's than the component's: a store that several share is first asked for by one of them.
  const scope = getCurrentScope();
  if (getCurrentInstance()?.vnode.el) onMounted(() => scope?.run(follow));
  else follow();
  return current;
}
