import { networkInterfaces } from "node:os";

/** The URLs of a server that listens on `host`, loopback first. */
export function addressesOf(host: string, port: number): readonly string[] {
  return isAny(host) ? ["127.0.0.1", ...networkAddresses()].map((name) => urlOf(name, port)) : [urlOf(host, port)];
}

/** Whether `host` is reachable only from this machine. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

function isAny(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

function networkAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.filter(({ family, internal }) => family === "IPv4" && !internal).map(({ address }) => address);
}

function urlOf(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}/`;
}
