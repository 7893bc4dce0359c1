import { expect, test } from "vitest";
import { createVirtualClock } from "../../testing/virtual-clock.ts";
import { createHeartbeatMembership } from "./heartbeat-membership.ts";

const bob = { id: "b1", username: "bob" };

function enteredRoll() {
  const clock = createVirtualClock();
  const roll = createHeartbeatMembership(clock);
  const asked: number[] = [];
  const gone: [lost: boolean, at: number][] = [];
  const entered = roll.join(() => asked.push(clock.now()));
  roll.watch(bob, (lost) => gone.push([lost, clock.now()]));
  return { clock, roll, asked, gone, entered };
}

test("joining waits 200 ms for answers", async () => {
  const { clock, entered, asked } = enteredRoll();
  let inside = false;
  void entered.then(() => {
    inside = true;
  });
  await clock.advance(199);
  expect([asked, inside]).toEqual([[0], false]);
  await clock.advance(1);
  expect(await entered).toEqual([]);
});

test("tabs are asked every 10 s, and a tab with three unanswered questions is lost", async () => {
  const { clock, asked, gone } = enteredRoll();
  await clock.advance(60_000);
  expect(asked.slice(0, 4)).toEqual([0, 10_000, 20_000, 30_000]);
  expect(gone).toEqual([[true, 30_000]]);
});

test("a tab that answers stays", async () => {
  const { clock, roll, gone } = enteredRoll();
  for (let beats = 0; beats < 6; beats++) {
    await clock.advance(10_000);
    roll.onHeard(bob.id);
  }
  expect(gone).toEqual([]);
});

test("nothing is asked after leaving, and unwatched tabs are not reported", async () => {
  const { clock, roll, asked, gone } = enteredRoll();
  roll.watch({ id: "c1", username: "cyd" }, () => gone.push([true, -1]))();
  await clock.advance(15_000);
  roll.leave();
  await clock.advance(60_000);
  expect(asked).toEqual([0, 10_000]);
  expect(gone).toEqual([]);
});
