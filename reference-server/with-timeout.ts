import type { Clock } from "./clock.ts";

type Ask<Args extends unknown[], Result> = (...args: Args) => Promise<Result>;

/** Wraps a function so that its promise rejects after `limit` ms without an answer; the error names `who`. */
export function withTimeout<Args extends unknown[], Result>(
  who: string,
  run: Ask<Args, Result>,
  limit: number,
  clock: Clock,
): Ask<Args, Result> {
  return (...args) => {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const giveUp = () => reject(new Error(`${who} has not answered within ${limit} ms`));
    // After a busy moment, answers that have already arrived are read first.
    const stop = clock.after(limit, () => setImmediate(giveUp));
    // A function of the app may throw synchronously or return a plain value.
    (async () => run(...args))().finally(stop).then(resolve, reject);
    return promise;
  };
}

/** Wraps every method of an object in a time limit. */
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
