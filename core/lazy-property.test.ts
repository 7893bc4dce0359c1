import { expect, test, vi } from "vitest";
import { lazyProperty } from "./lazy-property.ts";

const withTotal = lazyProperty("total");

test("the property is computed when it is read", () => {
  const make = vi.fn(() => 3);
  const order = withTotal({ items: [1, 2] }, make);
  expect(order.items).toEqual([1, 2]);
  expect(make).not.toHaveBeenCalled();
  expect(order.total).toBe(3);
  const { total } = order;
  expect(total).toBe(3);
});

test("each object has its own value", () => {
  expect([1, 2].map((value) => withTotal({}, () => value).total)).toEqual([1, 2]);
});

test("the property is read-only", () => {
  expect(() =>
    Object.assign(
      withTotal({}, () => 1),
      { total: 2 },
    ),
  ).toThrow(TypeError);
});
