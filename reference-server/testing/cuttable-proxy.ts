import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A TCP proxy to a server that a test can cut. */
export interface CuttableProxy {
  /** The URL of the server through the proxy. */
  readonly url: string;
  /** Leads new connections to another server; open connections stay. */
  redirect(url: string): void;
  /** Breaks all connections and rejects new ones. */
  cut(): void;
  restore(): void;
  stop(): void;
}

/** Starts a proxy to the server at `url`. */
export async function startCuttableProxy(url: string): Promise<CuttableProxy> {
  let { hostname, port } = new URL(url);
  const open = new Set<Socket>();
  let whole = true;

  const server = createServer((near) => {
    if (!whole) return near.destroy();
    const far = connect(Number(port), hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from);
      from.on("error", () => {});
      from.on("close", () => {
        open.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
    return undefined;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const near = new URL(url);
  near.port = `${(server.address() as AddressInfo).port}`;

  function cut(): void {
    whole = false;
    for (const socket of open) socket.destroy();
  }
  return {
    url: near.href,
    cut,
    redirect(target) {
      ({ hostname, port } = new URL(target));
    },
    restore() {
      whole = true;
    },
    stop() {
      cut();
      server.close();
    },
  };
}
