import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** Handlers that see a request before all listeners. A handler that returns true has answered it. */
export interface RequestInterceptors {
  request(request: IncomingMessage, response: ServerResponse): boolean;
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): boolean;
}

/**
 * Answers some requests of an http server that an app shares with us, and hides these from the app's own listeners. Returns
 * the undo.
 *
 * An event reaches all of its listeners, so an app that answers every request, or a WebSocketServer that closes sockets of
 * other paths, would answer ours too: the second answer throws and ends the process. Listeners may also be added later.
 * Therefore this intercepts `emit` and not the list of listeners.
 */
export function interceptRequests(http: HttpServer, { request, upgrade }: RequestInterceptors): () => void {
  const emit = http.emit;
  let active = true;

  function intercept(this: HttpServer, event: string | symbol, ...args: unknown[]): boolean {
    if (active && event === "request" && request(...(args as Parameters<typeof request>))) return true;
    if (active && event === "upgrade" && upgrade(...(args as Parameters<typeof upgrade>))) return true;
    return Reflect.apply(emit, this, [event, ...args]);
  }

  http.emit = intercept;
  return () => {
    active = false;
    // Unless something else has wrapped it since.
    if (http.emit === intercept) http.emit = emit;
  };
}
