import { once } from "node:events";
import { connect, type Socket } from "node:net";

interface RawOptions {
  /** The text after the head. */
  readonly end?: string;
  /** Keeps this side open when the server ends its own. */
  readonly stays?: boolean;
}

/** Connects to a server and sends a raw request head; the caller reads the response. */
export async function sendRaw(
  url: string,
  head: readonly string[],
  { end = "\r\n\r\n", stays = false }: RawOptions = {},
): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: stays });
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(`${head.join("\r\n")}${end}`);
  return socket;
}

/** Returns the head of a request for a WebSocket at `path`. */
export function upgradeTo(path: string): readonly string[] {
  return [
    ...[`GET ${path} HTTP/1.1`, "Host: localhost", "Connection: Upgrade", "Upgrade: websocket"],
    ...["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="],
  ];
}
