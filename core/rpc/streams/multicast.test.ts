import { expect, test, vi } from "vitest";
import { fc } from "../../../tools/property.ts";
import { BonevalueError } from "../../errors.ts";
import { multicast } from "./multicast.ts";
import { type PullSource, pullFromIterable } from "./pull.ts";

const reason = new BonevalueError("cancelled", "enough");

async function* count(to: number) {
  for (let n = 1; n <= to; n++) yield n;
}

async function read(pull: PullSource, most = Number.POSITIVE_INFINITY): Promise<unknown[]> {
  const items: unknown[] = [];
  for (let next = await pull.next(); !next.done; next = await pull.next()) {
    items.push(next.value);
    if (items.length < most) continue;
    pull.cancel(reason);
    break;
  }
  return items;
}

test("each reader gets every item", async () => {
  const readers = multicast(pullFromIterable(count(3)), 3);
  expect(await Promise.all(readers.map((reader) => read(reader)))).toEqual([
    [1, 2, 3],
    [1, 2, 3],
    [1, 2, 3],
  ]);
});

test("an item is pulled only when all readers ask for it", async () => {
  const next = vi.fn(() => Promise.resolve({ done: false, value: 1 }));
  const [fast, slow] = multicast({ next, cancel() {} }, 2);
  const first = fast!.next();
  expect(next).not.toHaveBeenCalled();
  slow!.next();
  await first;
  fast!.next();
  expect(next).toHaveBeenCalledTimes(1);
});

test("a reader that cancels delays nobody, and the last one cancels the source", async () => {
  const cancel = vi.fn();
  const [fast, slow] = multicast({ next: () => Promise.resolve({ done: false, value: 1 }), cancel }, 2);
  const first = fast!.next();
  slow!.cancel(reason);
  expect(await first).toEqual({ done: false, value: 1 });
  expect(cancel).not.toHaveBeenCalled();
  fast!.cancel(reason);
  expect(cancel).toHaveBeenCalledExactlyOnceWith(reason);
});

test("all readers get the source's error", async () => {
  const failing: PullSource = { next: () => Promise.reject(new Error("dry")), cancel() {} };
  const results = await Promise.allSettled(multicast(failing, 2).map((reader) => reader.next()));
  expect(results).toMatchObject([{ reason: { message: "dry" } }, { reason: { message: "dry" } }]);
});

test("readers that leave at any time do not cost the others an item", async () => {
  const leaving = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(leaving, async (most) => {
      const readers = multicast(pullFromIterable(count(8)), most.length);
      const items = await Promise.all(readers.map((reader, index) => read(reader, most[index])));
      expect(items.map(({ length }) => length)).toEqual(most.map((length) => Math.min(length, 8)));
    }),
  );
});
