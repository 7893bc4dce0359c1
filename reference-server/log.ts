import { type DestinationStream, pino } from "pino";

/** Where a server says what it does. Satisfied by pino and by console. */
export interface Log {
  debug(data: object, message: string): void;
  info(data: object, message: string): void;
  warn(data: object, message: string): void;
  error(data: object, message: string): void;
}

const secrets = ["password", "current", "token", "session", "invite", "signal", "secret", "credential"];

/** JSON lines on standard output. Nobody logs a secret on purpose; one that slips in is blotted out. */
export function defaultLog(level: string = "info", to?: DestinationStream): Log {
  const options = {
    level,
    serializers: { error: pino.stdSerializers.err },
    redact: { paths: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: "[secret]" },
  };
  return to ? pino(options, to) : pino(options);
}
