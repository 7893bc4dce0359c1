import { expect, test } from "vitest";
import { virtualClock } from "../testing/virtual-clock.ts";
import { withCircuitBreaker } from "./circuit-breaker.ts";

/** A method that answers when the test calls `answer`. */
function oracle() {
  const clock = virtualClock();
  const asked: { question: string; answer(text: string): void; fail(error: Error): void }[] = [];
  const told: string[] = [];
  const methods = {
    ask: (question: string) =>
      new Promise<string>((answer, fail) => {
        asked.push({ question, answer, fail });
      }),
  };
  const { ask } = withCircuitBreaker(methods, 1_000, clock, {
    failed: ({ message }) => told.push(message),
    restored: () => told.push("back"),
  });
  return { clock, asked, told, ask };
}

/** Resolves when everything that is due has run. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("results and failures in time are passed on", async () => {
  const { clock, asked, told, ask } = oracle();
  const [one, two] = [ask("a"), ask("b")];
  asked[0]!.answer("yes");
  asked[1]!.fail(new Error("no"));
  expect(await one).toBe("yes");
  await expect(two).rejects.toThrow("no");
  clock.advance(2_000);
  await turn();
  expect(told).toEqual([]);
});

test("a late call rejects, and further calls reject until every late call has settled", async () => {
  const { clock, asked, told, ask } = oracle();
  const late = [ask("a"), ask("b")];
  const refused = Promise.all(late.map((answer) => expect(answer).rejects.toThrow("no answer within 1000 ms")));
  clock.advance(1_000);
  await refused;
  await expect(ask("c")).rejects.toThrow("no answer");
  asked[0]!.answer("late");
  await turn();
  await expect(ask("d")).rejects.toThrow("no answer");
  expect(told).toEqual(Array(2).fill("no answer within 1000 ms"));
  asked[1]!.answer("late");
  await turn();
  expect(told.at(-1)).toBe("back");
  void ask("e");
  expect(asked.map(({ question }) => question)).toEqual(["a", "b", "e"]);
});

test("a late failure also closes the circuit", async () => {
  const { clock, asked, told, ask } = oracle();
  const refused = expect(ask("a")).rejects.toThrow("no answer");
  clock.advance(1_000);
  await refused;
  asked[0]!.fail(new Error("the wire broke"));
  await turn();
  void ask("b");
  expect(asked).toHaveLength(2);
  expect(told.at(-1)).toBe("back");
});

test("an answer that arrived while this process was busy is not late", async () => {
  const { clock, asked, told, ask } = oracle();
  const answer = ask("a");
  clock.advance(1_000);
  asked[0]!.answer("just in time");
  await turn();
  expect(await answer).toBe("just in time");
  expect(told).toEqual([]);
});
