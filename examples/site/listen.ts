import { once } from "node:events";
import type { Server } from "node:http";

const firstPort = 8_000;
// A range in which every port is in use is no accident.
const maxAttempts = 100;

/** Listens on `port`, or without one on the first free port from 8000. Rejects with advice if none is available. */
export async function listen(http: Server, host: string, port?: number): Promise<void> {
  for (let candidate = port ?? firstPort; ; candidate++) {
    try {
      http.listen(candidate, host);
      await once(http, "listening");
      return;
    } catch (cause) {
      const isTaken = (cause as NodeJS.ErrnoException).code === "EADDRINUSE";
      if (isTaken && port === undefined && candidate < firstPort + maxAttempts) continue;
      const problem = isTaken ? `port ${candidate} is in use; choose another with --port` : String(cause);
      throw new Error(`This program cannot listen on ${host}: ${problem}.`, { cause });
    }
  }
}
