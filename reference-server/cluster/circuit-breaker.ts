import type { Clock } from "../clock.ts";

/** What is noticed of whoever answers. */
export interface CircuitEvents {
  /** It keeps somebody waiting. */
  failed(error: Error): void;
  /** All that it was late with has been answered, or has failed: perhaps it can be asked again. */
  back(): void;
}

/**
 * The same methods, each of which rejects when its answer takes longer than `limit` ms. Until that answer has come they all
 * reject at once: nothing piles up, and a wire on which nothing is said any more runs into its own time-out.
 */
export function withCircuitBreaker<Methods extends Record<keyof Methods, (...args: never[]) => Promise<unknown>>>(
  methods: Methods,
  limit: number,
  clock: Clock,
  { failed, back }: CircuitEvents,
): Methods {
  let overdue = 0;

  function ask<Result>(question: () => Promise<Result>): Promise<Result> {
    if (overdue > 0) return Promise.reject(noAnswer());
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    let [late, over] = [false, false];
    // What has come while we were busy is read first.
    const stop = clock.after(limit, () => setImmediate(giveUp));
    question().then(
      (result) => {
        settled();
        resolve(result);
      },
      (error: unknown) => {
        settled();
        reject(error);
      },
    );
    return promise;

    function settled(): void {
      over = true;
      stop();
      if (late && --overdue === 0) back();
    }

    function giveUp(): void {
      if (over) return;
      late = true;
      overdue++;
      reject(noAnswer());
      failed(noAnswer());
    }
  }

  function noAnswer(): Error {
    return new Error(`no answer within ${limit} ms`);
  }

  const wrapped = Object.entries<(...args: never[]) => Promise<unknown>>(methods).map(([name, method]) => [
    name,
    (...args: never[]) => ask(() => method(...args)),
  ]);
  return Object.fromEntries(wrapped) as Methods;
}
