import { expect, test, vi } from "vitest";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { CloseStep } from "../wire/frames.ts";
import { createIdleClose, type IdleClose, type IdleCloseOptions } from "./idle-close.ts";

function watch(options: Partial<IdleCloseOptions> = {}) {
  const clock = createVirtualClock();
  const told = { say: vi.fn(), release: vi.fn(), close: vi.fn(), evict: vi.fn() };
  const idleClose = createIdleClose({
    clock,
    grace: 1_000,
    idleTimeout: 30_000,
    isIdle: () => true,
    ...told,
    ...options,
  });
  return { clock, idleClose, ...told };
}

function readOnBoth(idleClose: IdleClose, step: number): void {
  idleClose.read(step, "control");
  idleClose.read(step, "bulk");
}

test("offers on both channels once nobody has used it for as long as it was wanted", async () => {
  const { clock, idleClose, say } = watch();
  idleClose.use(5_000);
  await clock.advance(4_999);
  expect(say).not.toHaveBeenCalled();
  await clock.advance(1);
  expect(say.mock.calls).toEqual([
    [CloseStep.offer, "control"],
    [CloseStep.offer, "bulk"],
  ]);
  expect(idleClose.accepting).toBe(false);
});

test("closes when the other side consents, and not before it has on both channels", async () => {
  const { clock, idleClose, close } = watch();
  await clock.advance(1_000);
  idleClose.read(CloseStep.accept, "bulk");
  expect(close).not.toHaveBeenCalled();
  idleClose.read(CloseStep.accept, "control");
  expect(close).toHaveBeenCalledTimes(1);
});

test("closes when nobody answers an offer for five seconds", async () => {
  const { clock, close } = watch();
  await clock.advance(5_999);
  expect(close).not.toHaveBeenCalled();
  await clock.advance(1);
  expect(close).toHaveBeenCalledTimes(1);
});

test("stays when the other side does, and asks again only after the idle time", async () => {
  const { clock, idleClose, say, release, close } = watch();
  await clock.advance(1_000);
  idleClose.read(CloseStep.decline, "control");
  expect(release).toHaveBeenCalledTimes(1);
  expect(idleClose.accepting).toBe(true);
  await clock.advance(29_999);
  expect(say).toHaveBeenCalledTimes(2);
  await clock.advance(1);
  expect(say).toHaveBeenCalledTimes(4);
  expect(close).not.toHaveBeenCalled();
});

test("whose place is wanted is evicted five seconds after the other side has said that it stays, unless it is used", async () => {
  let isIdle = true;
  const { clock, idleClose, evict, release } = watch({ isIdle: () => isIdle });
  await clock.advance(1_000);
  idleClose.read(CloseStep.decline, "control");
  await clock.advance(4_999);
  expect([idleClose.offer(), release.mock.calls.length]).toEqual([false, 1]);
  await clock.advance(1);
  expect(release).toHaveBeenCalledTimes(2);
  isIdle = false;
  expect(idleClose.offer()).toBe(false);
  isIdle = true;
  expect(evict).not.toHaveBeenCalled();
  expect(idleClose.offer()).toBe(true);
  expect(evict).toHaveBeenCalledOnce();
});

test("does not consent while it wants the link, and offers itself as soon as it does not", async () => {
  const { clock, idleClose, say } = watch();
  idleClose.use(10_000);
  readOnBoth(idleClose, CloseStep.offer);
  expect(say.mock.calls).toEqual([[CloseStep.decline, "control"]]);
  await clock.advance(10_000);
  expect(say).toHaveBeenLastCalledWith(CloseStep.offer, "bulk");
});

test("consents when nothing is open, and waits as long for the other side to close", async () => {
  const { clock, idleClose, say, close } = watch();
  readOnBoth(idleClose, CloseStep.offer);
  expect(say).toHaveBeenLastCalledWith(CloseStep.accept, "bulk");
  expect(idleClose.consented).toBe(true);
  await clock.advance(5_000);
  expect(close).toHaveBeenCalledTimes(1);
});

test("never offers while something is open, and does when its end is the last use", async () => {
  let isIdle = false;
  const { clock, idleClose, say } = watch({ isIdle: () => isIdle });
  await clock.advance(100_000);
  expect(say).not.toHaveBeenCalled();
  isIdle = true;
  idleClose.use(1_000);
  await clock.advance(1_000);
  expect(say).toHaveBeenCalledTimes(2);
});

test("a link that is held for ever is let go by nobody, until a use that wants it shortly", async () => {
  const { clock, idleClose, say } = watch({ idleTimeout: Number.POSITIVE_INFINITY });
  await clock.advance(1_000);
  idleClose.read(CloseStep.decline, "control");
  await clock.advance(1_000_000);
  expect(say).toHaveBeenCalledTimes(2);
  idleClose.use(1_000);
  await clock.advance(1_000);
  expect(say).toHaveBeenCalledTimes(4);
});
