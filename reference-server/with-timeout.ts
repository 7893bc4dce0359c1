import type { Clock } from "./clock.ts";

type Ask<Args extends unknown[], Result> = (...args: Args) => Promise<Result>;

/** The same function, whose answer is waited for `limit` ms: then its promise rejects, saying that `who` is silent. */
export function withTimeout<Args extends unknown[], Result>(
  who: string,
  ask: Ask<Args, Result>,
  limit: number,
  clock: Clock,
): Ask<Args, Result> {
  return (...args) => {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const giveUp = () => reject(new Error(`${who} has not answered within ${limit} ms`));
    // What has come while we were busy is read first.
    const stop = clock.after(limit, () => setImmediate(giveUp));
    // An app's own function may throw, or answer at once.
    (async () => ask(...args))().finally(stop).then(resolve, reject);
    return promise;
  };
}

/** The same methods, each with a deadline. */
export function withTimeouts<Methods extends object>(
  who: string,
  methods: Methods,
  limit: number,
  clock: Clock,
): Methods {
  return new Proxy(methods, {
    get(target, name) {
      const method = Reflect.get(target, name);
      return typeof method === "function"
        ? withTimeout(`${who} (${String(name)})`, method.bind(target), limit, clock)
        : method;
    },
  });
}
