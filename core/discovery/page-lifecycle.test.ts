import { expect, test, vi } from "vitest";
import { createPageLifecycle } from "./page-lifecycle.ts";

function fakeWindow() {
  const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  const window = Object.assign(new EventTarget(), { document });
  const setVisibility = (visibility: string) => {
    document.visibilityState = visibility;
    // It bubbles.
    for (const target of [document, window]) target.dispatchEvent(new Event("visibilitychange"));
  };
  return Object.assign(window, { setVisibility });
}

test("a page wakes when it is online, shown or visible again, but not when it becomes hidden", () => {
  const window = fakeWindow();
  let wakes = 0;
  createPageLifecycle(window).onWake(() => wakes++);
  window.dispatchEvent(new Event("online"));
  window.dispatchEvent(new Event("pageshow"));
  window.setVisibility("visible");
  expect(wakes).toBe(3);
  window.setVisibility("hidden");
  expect(wakes).toBe(3);
});

test("a page wakes after its timers stood still", () => {
  vi.useFakeTimers();
  try {
    let wakes = 0;
    const stop = createPageLifecycle({}).onWake(() => wakes++);
    vi.advanceTimersByTime(60_000);
    expect(wakes).toBe(0);
    vi.setSystemTime(Date.now() + 20_000);
    vi.advanceTimersByTime(2_000);
    expect(wakes).toBe(1);
    stop();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

const pageHide = (persisted: boolean) => Object.assign(new Event("pagehide"), { persisted });

test("a hidden page reports whether it may return", () => {
  const window = fakeWindow();
  window.document.visibilityState = "hidden";
  const hides: boolean[] = [];
  createPageLifecycle(window).onHide((back) => hides.push(back));
  window.dispatchEvent(pageHide(true));
  window.dispatchEvent(pageHide(false));
  expect(hides).toEqual([true, false]);
});

test.each([
  ["a visible page waits for the visibilitychange after pagehide", "visible"],
  ["a page that was hidden before runs after listeners from that time", "hidden"],
])("%s, so the app's own listeners run first", (_, state) => {
  const window = fakeWindow();
  const order: string[] = [];
  const undo = createPageLifecycle(window).onHide((back) => order.push(`client ${back}`));
  window.addEventListener("pagehide", () => order.push("app"));
  window.document.addEventListener("visibilitychange", () => order.push(window.document.visibilityState));
  if (state === "hidden") window.setVisibility("hidden");
  window.dispatchEvent(pageHide(false));
  if (state === "visible") window.setVisibility("hidden");
  expect(order).toEqual([...(state === "visible" ? ["app", "hidden"] : ["hidden", "app"]), "client false"]);
  order.length = 0;
  window.setVisibility("visible");
  window.setVisibility("hidden");
  expect(order).toEqual(["visible", "hidden"]);
  undo();
  window.dispatchEvent(pageHide(false));
  window.setVisibility("hidden");
  expect(order).toEqual(["visible", "hidden", "app", "hidden"]);
});

test("removed listeners are not called", () => {
  const window = fakeWindow();
  const page = createPageLifecycle(window);
  let calls = 0;
  page.onWake(() => calls++)();
  page.onHide(() => calls++)();
  for (const type of ["online", "pageshow", "pagehide"]) window.dispatchEvent(new Event(type));
  for (const visibility of ["visible", "hidden"]) window.setVisibility(visibility);
  window.dispatchEvent(pageHide(false));
  expect(calls).toBe(0);
});

test("outside of a browser no listener is called and nothing throws", () => {
  const page = createPageLifecycle({});
  expect(() => {
    page.onWake(() => {})();
    page.onHide(() => {})();
  }).not.toThrow();
});
