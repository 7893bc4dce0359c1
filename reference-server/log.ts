import { type DestinationStream, pino } from "pino";

/** The logger of a server. Compatible with pino and console. */
export interface Log {
  debug(data: object, message: string): void;
  info(data: object, message: string): void;
  warn(data: object, message: string): void;
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
