import { expect, test } from "vitest";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { createSessionLock } from "./session-lock.ts";
import { createFakeBrowser } from "./testing/fake-browser.ts";

/** The locks of a few pages. `claim` lets time pass until it is known whether a page has the lock. */
function createWorld() {
  const clock = createVirtualClock();
  const browser = createFakeBrowser();
  const open = () => createSessionLock(browser.open().scope.navigator!.locks!, clock);
  async function settle(claimed: Promise<boolean>): Promise<boolean> {
    let isSettled = false;
    void claimed.finally(() => (isSettled = true));
    while (!isSettled) {
      await new Promise((resolve) => setImmediate(resolve));
      await clock.advance(10);
    }
    return claimed;
  }
  return { clock, pages: [open(), open()] as const, settle };
}

test("a page whose claim has failed gets the lock later, once the other page has released it", async () => {
  const { clock, pages, settle } = createWorld();
  const [first, second] = pages;
  expect(await settle(first.claim("secret"))).toBe(true);
  const from = clock.now();
  expect(await settle(second.claim("secret"))).toBe(false);
  expect(clock.now() - from).toBeGreaterThanOrEqual(500);
  first.release();
  expect(await settle(second.claim("secret"))).toBe(true);
});

test("a page that claims another secret releases the lock of the last one, and keeps the new one until it releases it", async () => {
  const { pages, settle } = createWorld();
  const [first, second] = pages;
  for (const secret of ["old", "new"]) expect(await settle(first.claim(secret))).toBe(true);
  expect(await settle(second.claim("old"))).toBe(true);
  expect(await settle(second.claim("new"))).toBe(false);
  first.release();
  expect(await settle(second.claim("new"))).toBe(true);
});

test("a page that releases a lock while it waits for it does not get it, and leaves no timer", async () => {
  const { clock, pages, settle } = createWorld();
  const [first, second] = pages;
  expect(await settle(first.claim("secret"))).toBe(true);
  const claimed = second.claim("secret");
  second.release();
  expect(await settle(claimed)).toBe(false);
  first.release();
  await clock.advance(500);
  expect(clock.waiting).toBe(0);
});
