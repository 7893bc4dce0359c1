/** How often a server sends `ping` on an idle socket, in ms. */
export const pingIntervalMs = 25_000;

/** Either side gives up a socket that has received nothing for this long, in ms: one ping interval and 10 s. */
export const idleTimeoutMs = 35_000;

/** The largest first frame that a server reads, in bytes. */
export const maxFirstFrameBytes: number = 8 * 1024;

/** The largest frame that a server reads after the sign-in, in bytes. */
export const maxFrameBytes: number = 64 * 1024;

/**
 * The largest message that a server passes from one relay socket to the other, in bytes: a message of a link, 68 KiB, with the 20
 * bytes around it. Both sides pay for each message, so a chunk of a stream is one.
 */
export const maxRelayMessageBytes: number = 68 * 1024 + 20;

/**
 * A server closes both relay sockets of a link when neither has sent a message for this long, in ms. Timers of hidden pages run
 * once a minute, and an idle link sends its ping at the second one.
 */
export const relayIdleTimeoutMs = 150_000;
