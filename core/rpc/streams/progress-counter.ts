/** Translates what the other side has read, in bytes of frames, into bytes of what the app sent. */
export interface ProgressCounter {
  /** An item leaves: `frame` bytes on the wire, `content` for the app. */
  begin(frame: number, content: number): void;
  /** The other side has read `frames` bytes since the start: how many more of the app's that are. */
  read(frames: number): number;
}

/** A tally of a stream that begins; it remembers what is on its way. */
export function createProgressCounter(): ProgressCounter {
  const underWay: { readonly end: number; readonly content: number }[] = [];
  let begun = 0;
  return {
    begin(frame, content) {
      begun += frame;
      underWay.push({ end: begun, content });
    },
    read(frames) {
      const rest = underWay.findIndex(({ end }) => end > frames);
      const read = underWay.splice(0, rest < 0 ? underWay.length : rest);
      return read.reduce((sum, { content }) => sum + content, 0);
    },
  };
}
