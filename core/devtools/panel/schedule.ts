/** Draws after changes, in animation frames, and only while it is active. */
export interface Schedule {
  /** Something has changed. */
  request(): void;
  setActive(isActive: boolean): void;
}

// To draw costs about 1 ms, so this bounds it to a hundredth of the main thread.
const minIntervalMs = 100;
const tickMs = 1_000;

/** Creates a schedule that is not active. While active it also calls `tick` and `draw` once a second. */
export function createSchedule(draw: () => void, tick: () => void): Schedule {
  let isActive = false;
  let isRequested = false;
  let ticks: ReturnType<typeof setInterval> | undefined;
  let lastDraw = 0;

  function request(): void {
    if (!isActive || isRequested) return;
    isRequested = true;
    const wait = lastDraw + minIntervalMs - performance.now();
    if (wait > 0) setTimeout(() => requestAnimationFrame(run), wait);
    else requestAnimationFrame(run);
  }

  function run(): void {
    isRequested = false;
    if (!isActive) return;
    lastDraw = performance.now();
    draw();
  }

  return {
    request,
    setActive(next) {
      isActive = next;
      clearInterval(ticks);
      if (!isActive) return;
      ticks = setInterval(() => {
        tick();
        request();
      }, tickMs);
      tick();
      draw();
    },
  };
}
