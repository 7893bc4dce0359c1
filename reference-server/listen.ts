import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";

// Slow clients get little time, and a request's head little room.
const strict = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  handshakeTimeout: 5_000,
};

// How many may wait to be let in; the system may allow fewer. Whoever finds the queue full asks again only after seconds, and
// after a restart everybody comes at once.
const backlog = 4_096;

/** What TLS takes, PEM. */
export interface Certificate {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

/** An http server, or with a certificate a https one. Rejects with what to do where it cannot listen. */
export async function listen(
  host: string = "127.0.0.1",
  port: number = 8000,
  tls: Certificate | undefined = undefined,
): Promise<Server> {
  const http = tls ? secure(tls) : createServer(strict);
  http.listen({ port, host, backlog });
  try {
    await once(http, "listening");
  } catch (cause) {
    throw new Error(problem(cause, host, port), { cause });
  }
  return http;
}

function secure(tls: Certificate): Server {
  try {
    return createTlsServer({ ...strict, ...tls });
  } catch (cause) {
    throw new Error(
      `The certificate and its key cannot be used (${text(cause)}): both are PEM, and one is the other's.`,
      { cause },
    );
  }
}

/** Listens no more. Whoever is in the middle of a request is cut off: a server that closes looks for slow ones no longer. */
export function unlisten(http: Server): Promise<void> {
  return new Promise((resolve) => {
    http.close(() => resolve());
    http.closeAllConnections();
  });
}

function problem(cause: unknown, host: string, port: number): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "EADDRINUSE")
    return `Port ${port} on ${host} is taken: stop what listens there, or choose another port.`;
  if (code === "EACCES") return `Port ${port} may not be used by this user: choose one above 1023.`;
  return `Cannot listen on ${host}, port ${port} (${text(cause)}).`;
}

function text(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
