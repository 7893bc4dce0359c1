/** The largest message of platforms that do not report theirs, and of the relay, in bytes. */
export const defaultMaxMessage = 65_536;
