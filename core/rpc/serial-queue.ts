/** Starts one task after the other, at once while none takes its time. */
export function createSerialQueue(): (task: () => Promise<void> | undefined) => void {
  let last: Promise<void> | undefined;
  return (task) => {
    const mine = last ? last.then(task) : task();
    last = mine;
    mine?.then(() => {
      if (last === mine) last = undefined;
    });
  };
}
