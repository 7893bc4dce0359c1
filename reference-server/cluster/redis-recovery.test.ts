import { expect, test } from "vitest";
import { virtualClock } from "../testing/virtual-clock.ts";
import { createRecovery } from "./redis-recovery.ts";

/** A recovery that checks every second, with a lease of ten; the test controls the answers of Redis. */
function settling() {
  const clock = virtualClock();
  const asked: PromiseWithResolvers<readonly string[]>[] = [];
  const seen = { done: 0 };
  const own = createRecovery({
    ...{ clock, checkEvery: 1_000, lease: 10_000 },
    alive() {
      const question = Promise.withResolvers<readonly string[]>();
      asked.push(question);
      return question.promise;
    },
    onComplete: () => void seen.done++,
  });
  const answer = async (...nodes: string[]) => {
    asked.at(-1)!.resolve(nodes);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { own, clock, asked, seen, answer };
}

test("it is complete when all known nodes are back", async () => {
  const { own, clock, seen, answer } = settling();
  own.setKnownNodes(["one", "two"]);
  own.start();
  clock.advance(1_000);
  await answer("one");
  clock.advance(1_000);
  await answer("one", "two");
  expect([own.isComplete, seen.done]).toEqual([false, 0]);
  clock.advance(1_000);
  expect([own.isComplete, seen.done]).toEqual([true, 1]);
});

test("it waits no longer than a lease", async () => {
  const { own, clock, seen, answer } = settling();
  own.setKnownNodes(["dead"]);
  own.start();
  for (let second = 1; second <= 10; second++) {
    clock.advance(1_000);
    await answer();
  }
  clock.advance(1_000);
  expect(seen.done).toBe(1);
});

test("it is not complete when Redis is lost during a check", async () => {
  const { own, clock, asked, seen, answer } = settling();
  own.start();
  clock.advance(1_000);
  own.onLost();
  await answer();
  clock.advance(60_000);
  expect([own.isComplete, seen.done, asked.length]).toEqual([false, 0, 1]);
});

test("a node that has left checks no more", async () => {
  const { own, clock, asked, seen, answer } = settling();
  own.setKnownNodes(["two"]);
  own.start();
  clock.advance(1_000);
  own.stop();
  await answer();
  clock.advance(60_000);
  expect([seen.done, asked.length]).toEqual([0, 1]);
});
