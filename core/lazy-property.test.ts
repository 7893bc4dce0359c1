import { expect, test, vi } from "vitest";
import { lazyProperty } from "./lazy-property.ts";

const withTotal = lazyProperty("total");

test("the property is asked for when it is read, and not before", () => {
  const make = vi.fn(() => 3);
  const order = withTotal({ items: [1, 2] }, make);
  expect(order.items).toEqual([1, 2]);
  expect(make).not.toHaveBeenCalled();
  expect(order.total).toBe(3);
  const { total } = order;
  expect(total).toBe(3);
});

test("every object has its own", () => {
  expect([1, 2].map((value) => withTotal({}, () => value).total)).toEqual([1, 2]);
});

test("it cannot be written", () => {
  expect(() =>
    Object.assign(
      withTotal({}, () => 1),
      { total: 2 },
    ),
  ).toThrow(TypeError);
});
