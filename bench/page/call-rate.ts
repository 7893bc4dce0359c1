/** Keeps `concurrency` calls in flight for `duration` ms. Resolves to the replies a second. */
export async function callRate(call: () => Promise<unknown>, concurrency: number, duration: number): Promise<number> {
  const begun = performance.now();
  let answered = 0;
  let over = false;
  setTimeout(() => {
    over = true;
  }, duration);
  const keepCalling = async () => {
    while (!over) {
      await call();
      answered++;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, keepCalling));
  return (answered * 1_000) / (performance.now() - begun);
}
