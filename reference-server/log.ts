import { type DestinationStream, pino } from "pino";

/** The logger of a server. Compatible with pino and console. `data` holds the fields of one line. */
export interface Log {
  /** Logs what helps to find a fault, such as the end of each connection. */
  debug(data: object, message: string): void;
  /** Logs normal operation. */
  info(data: object, message: string): void;
  /** Logs a problem that the server works around, such as a page whose origin may not connect. */
  warn(data: object, message: string): void;
  /** Logs a fault of the server, its store or its cluster. */
  error(data: object, message: string): void;
}

const secrets = ["room", "password", "current", "token", "session", "invite", "signal", "secret", "credential"];

/** Creates a logger of JSON lines on standard output. Fields that could contain a secret are redacted. */
export function defaultLog(level: string = "info", to?: DestinationStream): Log {
  const options = {
    level,
    serializers: { error: pino.stdSerializers.err },
    redact: { paths: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: "[secret]" },
  };
  return to ? pino(options, to) : pino(options);
}
