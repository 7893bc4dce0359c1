import { expect, test, vi } from "vitest";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { CloseStep } from "../wire/frames.ts";
import { createIdleClose, type IdleClose, type IdleCloseOptions } from "./idle-close.ts";

function watch(options: Partial<IdleCloseOptions> = {}) {
  const clock = createVirtualClock();
  const calls = { send: vi.fn(), onRelease: vi.fn(), close: vi.fn(), evict: vi.fn() };
  const idleClose = createIdleClose({
    clock,
    unusedTimeout: 1_000,
    idleTimeout: 30_000,
    isIdle: () => true,
    ...calls,
    ...options,
  });
  return { clock, idleClose, ...calls };
}

function readOnBoth(idleClose: IdleClose, step: number): void {
  idleClose.readStep(step, "control");
  idleClose.readStep(step, "bulk");
}

test("offers to close on both channels when the time for which it was kept open has passed", async () => {
  const { clock, idleClose, send } = watch();
  idleClose.keepOpen(5_000);
  await clock.advance(4_999);
  expect(send).not.toHaveBeenCalled();
  await clock.advance(1);
  expect(send.mock.calls).toEqual([
    [CloseStep.offer, "control"],
    [CloseStep.offer, "bulk"],
  ]);
  expect(idleClose.accepting).toBe(false);
});

test("closes when the peer has accepted on both channels", async () => {
  const { clock, idleClose, close } = watch();
  await clock.advance(1_000);
  idleClose.readStep(CloseStep.accept, "bulk");
  expect(close).not.toHaveBeenCalled();
  idleClose.readStep(CloseStep.accept, "control");
  expect(close).toHaveBeenCalledTimes(1);
});

test("closes when the peer does not answer an offer for five seconds", async () => {
  const { clock, close } = watch();
  await clock.advance(5_999);
  expect(close).not.toHaveBeenCalled();
  await clock.advance(1);
  expect(close).toHaveBeenCalledTimes(1);
});

test("stays open when the peer declines, and offers again after the idle time", async () => {
  const { clock, idleClose, send, onRelease, close } = watch();
  await clock.advance(1_000);
  idleClose.readStep(CloseStep.decline, "control");
  expect(onRelease).toHaveBeenCalledTimes(1);
  expect(idleClose.accepting).toBe(true);
  await clock.advance(29_999);
  expect(send).toHaveBeenCalledTimes(2);
  await clock.advance(1);
  expect(send).toHaveBeenCalledTimes(4);
  expect(close).not.toHaveBeenCalled();
});

test("a peer that declines keeps a wanted slot for five seconds, and is evicted when it then declines again", async () => {
  const { clock, idleClose, send, evict, onRelease } = watch();
  expect(idleClose.offer()).toBe(true);
  idleClose.readStep(CloseStep.decline, "control");
  expect(onRelease).toHaveBeenCalledOnce();
  expect(idleClose.offer()).toBe(false);
  await clock.advance(4_999);
  expect([idleClose.offer(), onRelease.mock.calls.length]).toEqual([false, 1]);
  await clock.advance(1);
  expect(onRelease).toHaveBeenCalledTimes(2);
  expect(idleClose.offer()).toBe(true);
  expect(send.mock.calls.map(([step]) => step)).toEqual(Array(4).fill(CloseStep.offer));
  expect(evict).not.toHaveBeenCalled();
  idleClose.readStep(CloseStep.decline, "control");
  expect(evict).toHaveBeenCalledOnce();
});

test("a link that the peer uses is not evicted, and not offered", async () => {
  let isIdle = true;
  const { clock, idleClose, send, evict } = watch({ isIdle: () => isIdle });
  idleClose.offer();
  idleClose.readStep(CloseStep.decline, "control");
  await clock.advance(5_000);
  isIdle = false;
  expect(idleClose.offer()).toBe(false);
  expect(send).toHaveBeenCalledTimes(2);
  isIdle = true;
  expect(idleClose.offer()).toBe(true);
  // A call has crossed the offer.
  isIdle = false;
  idleClose.readStep(CloseStep.decline, "control");
  expect(evict).not.toHaveBeenCalled();
});

test("a link that nobody waits for is never evicted", async () => {
  const { clock, idleClose, evict } = watch({ idleTimeout: 3_000 });
  for (let offers = 0; offers < 5; offers++) {
    await clock.advance(3_000);
    idleClose.readStep(CloseStep.decline, "control");
  }
  expect(evict).not.toHaveBeenCalled();
});

test("a wanted slot is offered at once, however long the link may stay unused", () => {
  const { idleClose, send } = watch({ unusedTimeout: 30_000 });
  idleClose.keepOpen(30_000);
  expect(idleClose.offer()).toBe(true);
  expect(send).toHaveBeenCalledTimes(2);
});

test("declines while it keeps the link open, and offers itself afterwards", async () => {
  const { clock, idleClose, send } = watch();
  idleClose.keepOpen(10_000);
  readOnBoth(idleClose, CloseStep.offer);
  expect(send.mock.calls).toEqual([[CloseStep.decline, "control"]]);
  await clock.advance(10_000);
  expect(send).toHaveBeenLastCalledWith(CloseStep.offer, "bulk");
});

test("offers as soon as its own use ends once the peer has offered, although the peer declined before", async () => {
  let isIdle = true;
  const { clock, idleClose, send } = watch({ isIdle: () => isIdle });
  await clock.advance(1_000);
  readOnBoth(idleClose, CloseStep.decline);
  isIdle = false;
  readOnBoth(idleClose, CloseStep.offer);
  await clock.advance(1_000);
  send.mockClear();
  isIdle = true;
  idleClose.onIdle();
  await clock.advance(0);
  expect(send.mock.calls.map(([step]) => step)).toEqual([CloseStep.offer, CloseStep.offer]);
});

test("accepts when nothing is open, and closes five seconds later if the peer has not", async () => {
  const { clock, idleClose, send, close } = watch();
  readOnBoth(idleClose, CloseStep.offer);
  expect(send).toHaveBeenLastCalledWith(CloseStep.accept, "bulk");
  expect(idleClose.accepted).toBe(true);
  await clock.advance(5_000);
  expect(close).toHaveBeenCalledTimes(1);
});

test("never offers while something is open, and offers when its end was the last use", async () => {
  let isIdle = false;
  const { clock, idleClose, send } = watch({ isIdle: () => isIdle });
  await clock.advance(100_000);
  expect(send).not.toHaveBeenCalled();
  isIdle = true;
  idleClose.keepOpen(1_000);
  await clock.advance(1_000);
  expect(send).toHaveBeenCalledTimes(2);
});

test("an endless idle time keeps the link open until a use that keeps it for a limited time", async () => {
  const { clock, idleClose, send } = watch({ idleTimeout: Number.POSITIVE_INFINITY });
  await clock.advance(1_000);
  idleClose.readStep(CloseStep.decline, "control");
  await clock.advance(1_000_000);
  expect(send).toHaveBeenCalledTimes(2);
  idleClose.keepOpen(1_000);
  await clock.advance(1_000);
  expect(send).toHaveBeenCalledTimes(4);
});
