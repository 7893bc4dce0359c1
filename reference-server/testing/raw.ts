import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Connects to a server and says `head`, as no browser would; what comes back is for the caller to read. */
export async function sayRaw(url: string, head: readonly string[]): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  return socket;
}

/** The head of a request for a WebSocket at `path`. */
export function upgradeTo(path: string): readonly string[] {
  return [
    ...[`GET ${path} HTTP/1.1`, "Host: localhost", "Connection: Upgrade", "Upgrade: websocket"],
    ...["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="],
  ];
}
