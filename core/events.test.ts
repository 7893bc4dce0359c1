import { expect, test, vi } from "vitest";
import { createEmitter } from "./events.ts";

interface Events {
  hello: (name: string) => void;
}

test("the same listener added twice is two listeners, each with its own undo", () => {
  const { on, emit } = createEmitter<Events>();
  const listener = vi.fn();
  const undo = on("hello", listener);
  on("hello", listener);
  undo();
  emit("hello", "ann");
  expect(listener.mock.calls).toEqual([["ann"]]);
});

test("an error in a listener is reported and does not stop the others", () => {
  const reported = vi.spyOn(console, "error").mockReturnValue(undefined);
  const { on, emit } = createEmitter<Events>();
  const later = vi.fn();
  on("hello", () => {
    throw new Error("the app's own fault");
  });
  on("hello", later);
  emit("hello", "ann");
  expect(later).toHaveBeenCalled();
  expect(reported).toHaveBeenCalled();
  reported.mockRestore();
});

test("a listener that another one removes is not called", () => {
  const { on, emit, hasListener } = createEmitter<Events>();
  const removed = vi.fn();
  on("hello", () => undo());
  const undo = on("hello", removed);
  emit("hello", "ann");
  expect(removed).not.toHaveBeenCalled();
  expect(hasListener("hello")).toBe(true);
});
