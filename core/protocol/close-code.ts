/** The WebSocket close codes that the discovery protocol uses: those of RFC 6455, section 7.4.1, and 4000 to 4003. */
export const closeCode = {
  normal: 1000,
  goingAway: 1001,
  protocol: 1008,
  tooLarge: 1009,
  restart: 1012,
  overloaded: 1013,
  /** The client gives the socket up: the server is silent, or broke the protocol. */
  gaveUp: 4000,
  unauthenticated: 4001,
  /** Another socket of the same session has taken over. */
  superseded: 4002,
  incompatible: 4003,
  /** A relay socket: its other side did not come, or nothing was sent, in time. */
  timedOut: 4004,
} as const;
