import { expect, test } from "vitest";
import { createLazyPart } from "./lazy-part.ts";

test("a part is loaded once, for everybody who asks while it is loading and later", async () => {
  let imports = 0;
  const part = createLazyPart(async () => ({ count: ++imports }));
  expect(part.loaded).toBeUndefined();
  await Promise.all([part.load(), part.load()]);
  await part.load();
  expect([part.loaded, imports]).toEqual([{ count: 1 }, 1]);
});

test("after a failure, which names what to do, the next call loads the part again", async () => {
  const outcomes = [Promise.reject(new TypeError("404")), Promise.resolve("part")];
  const part = createLazyPart(() => outcomes.shift()!);
  await expect(part.load()).rejects.toMatchObject({
    code: "link-failed",
    message: expect.stringContaining("reload the page"),
    cause: new TypeError("404"),
  });
  expect(part.loaded).toBeUndefined();
  await part.load();
  expect(part.loaded).toBe("part");
});
