import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer, Server as TlsServer } from "node:https";

// Short time limits and a small head against slow and hostile clients.
const strictLimits = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  handshakeTimeout: 5_000,
};

// The length of the accept queue; the system may allow less. A client that finds the queue full retries only after seconds,
// and after a restart all clients connect at the same time.
const backlog = 4_096;

/** A TLS certificate and its key. */
export interface Certificate {
  /** The certificate chain, as PEM. */
  readonly cert: string | Buffer;
  /** The private key, as PEM. */
  readonly key: string | Buffer;
}

/** Replaces the certificate of a server; open connections keep theirs. Throws if certificate and key cannot be used. */
export function replaceCertificate(http: Server, tls: Certificate): void {
  if (!(http instanceof TlsServer))
    throw new Error("This server has no certificate: start it with `tls` (--cert and --key).");
  try {
    http.setSecureContext({ ...tls });
  } catch (cause) {
    throw unusable(cause);
  }
}

/** Starts an http server, or an https server with a certificate. If it cannot listen, rejects with what to do. */
export async function listen(
  host: string = "127.0.0.1",
  port: number = 8000,
  tls: Certificate | undefined = undefined,
): Promise<Server> {
  const http = tls ? createHttps(tls) : createServer(strictLimits);
  http.listen({ port, host, backlog });
  try {
    await once(http, "listening");
  } catch (cause) {
    throw new Error(listenProblem(cause, host, port), { cause });
  }
  return http;
}

function createHttps(tls: Certificate): Server {
  try {
    return createTlsServer({ ...strictLimits, ...tls });
  } catch (cause) {
    throw unusable(cause);
  }
}

function unusable(cause: unknown): Error {
  return new Error(
    `The certificate and key cannot be used (${text(cause)}): both must be PEM, and the key must belong to the certificate.`,
    { cause },
  );
}

/** Stops listening and closes all connections, including those in the middle of a request. */
export function stopListening(http: Server): Promise<void> {
  return new Promise((resolve) => {
    http.close(() => resolve());
    http.closeAllConnections();
  });
}

function listenProblem(cause: unknown, host: string, port: number): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "EADDRINUSE")
    return `Port ${port} on ${host} is in use: stop the program that uses it, or choose another port.`;
  if (code === "EACCES") return `This user may not listen on port ${port}: choose a port above 1023.`;
  return `Cannot listen on ${host}, port ${port} (${text(cause)}): check \`host\` (--host) and \`port\` (--port).`;
}

function text(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
