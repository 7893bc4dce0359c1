/** The largest message of platforms that do not report theirs, in bytes. */
export const defaultMaxMessage = 65_536;
