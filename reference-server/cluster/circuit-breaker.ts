import type { Clock } from "../clock.ts";

/** Events of a circuit breaker. */
export interface CircuitEvents {
  /** An answer is late: the circuit opens. */
  failed(error: Error): void;
  /** Every late call has settled: the circuit closes. */
  restored(): void;
}

/**
 * Wraps methods in a circuit breaker. A call that takes longer than `limit` ms rejects and opens the circuit: all calls
 * reject at once until every late call has settled. So no calls pile up, and an idle connection reaches its own time-out.
 */
export function withCircuitBreaker<Methods extends Record<keyof Methods, (...args: never[]) => Promise<unknown>>>(
  methods: Methods,
  limit: number,
  clock: Clock,
  { failed, restored }: CircuitEvents,
): Methods {
  let overdue = 0;

  function ask<Result>(question: () => Promise<Result>): Promise<Result> {
    if (overdue > 0) return Promise.reject(noAnswer());
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    let [late, over] = [false, false];
    // After a busy moment, answers that have already arrived are read first.
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
      if (late && --overdue === 0) restored();
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
