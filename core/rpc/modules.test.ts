import { expect, test } from "vitest";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { defineModule } from "./module.ts";
import { createModules } from "./modules.ts";

function createWorld() {
  const clock = createVirtualClock();
  const modules = createModules(clock, 2_000);
  const offer = (name: string) =>
    modules.add({ module: defineModule(name), handler: () => {}, allow: "*", bare: false });
  return { clock, modules, offer };
}

test("requests wait for each of several withdrawn modules for half of the time after a sign-in", async () => {
  const { clock, modules, offer } = createWorld();
  for (const name of ["A", "B"]) offer(name)();
  await clock.advance(100);
  offer("C")();
  expect(["A", "B", "C", "never offered"].map(modules.graceLeft)).toEqual([900, 900, 1_000, Number.NEGATIVE_INFINITY]);
  modules.onSignIn();
  expect(["A", "B", "C", "never offered"].map(modules.graceLeft)).toEqual([2_000, 2_000, 2_000, 2_000]);
});

test("a task that waits for a module runs once, unless it was undone", async () => {
  const { clock, modules, offer } = createWorld();
  const ran: string[] = [];
  const wait = (task: string, name = "A") => modules.whenOffered(name, () => ran.push(task));
  const undo = wait("first");
  wait("second");
  wait("of another module", "B");
  undo();
  offer("A")();
  const undoLate = wait("third");
  const withdraw = offer("A");
  undoLate();
  await clock.advance(0);
  expect(ran).toEqual(["second"]);
  withdraw();
  offer("A");
  await clock.advance(0);
  expect(ran).toEqual(["second"]);
});
