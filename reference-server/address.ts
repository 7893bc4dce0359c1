import type { IncomingMessage } from "node:http";
import { BlockList, isIP, isIPv6 } from "node:net";

/** Whether an address is in a list of addresses and networks. */
export type AddressList = (address: string) => boolean;

/** The entry of a list, and the address of a client, for connections by a Unix domain socket. */
const unixSocket = "unix";

/** Creates a list of addresses, networks (`10.0.0.0/8`) and `unix`; throws for an invalid entry. */
export function addressList(entries: readonly string[]): AddressList {
  const list = new BlockList();
  let hasUnix = false;
  for (const entry of entries) {
    if (entry === unixSocket) {
      hasUnix = true;
      continue;
    }
    const [address = "", prefix] = entry.split("/");
    const family = familyOf(address);
    const bits = Number(prefix ?? 0);
    if (isIP(address) === 0 || !/^\d*$/.test(prefix ?? "0") || prefix === "" || bits > (family === "ipv4" ? 32 : 128))
      throw new Error(`"${entry}" is not an IP address or network: use a form such as 10.0.0.1, 10.0.0.0/8 or unix.`);
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, bits, family);
  }
  return (address) =>
    address === unixSocket ? hasUnix : isIP(address) !== 0 && list.check(address, familyOf(address));
}

const loopbacks = addressList(["127.0.0.0/8", "::1"]);

/** Whether an address or host name is loopback. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "");
  return bare === "localhost" || bare.endsWith(".localhost") || loopbacks(unmapIPv4(bare));
}

/** Returns the address of the client: the last hop that is not a listed proxy. Only entries of listed proxies count. */
export function clientAddress(request: IncomingMessage, proxies: AddressList): string {
  const hops = String(request.headers["x-forwarded-for"] ?? "")
    .split(",")
    .map((hop) => hop.trim());
  let address = unmapIPv4(request.socket.remoteAddress ?? unixSocket);
  while (proxies(address)) {
    const before = unmapIPv4(withoutPort(hops.pop() ?? ""));
    if (isIP(before) === 0) break;
    address = before;
  }
  return address;
}

/** Returns the key of per-address limits: an IPv4 address, or the /64 of an IPv6 address (one customer). */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail = ""] = (address.split("%")[0] ?? "").split("::");
  const left = head.split(":").filter(Boolean);
  const right = tail.split(":").filter(Boolean);
  const missing = address.includes("::") ? Math.max(0, 8 - left.length - right.length) : 0;
  const groups = [...left, ...Array<string>(missing).fill("0"), ...right];
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(":")}::/64`;
}

/** Some proxies append the port, and brackets around IPv6: `192.0.2.1:4711`, `[2001:db8::1]:4711`, `[2001:db8::1]`. */
function withoutPort(hop: string): string {
  return /^\[(.+)\](:\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop;
}

/**
 * Returns the IPv4 address of a mapped one (RFC 4291, 2.5.5.2), which IPv4 clients of an IPv6 socket have. Some proxies write
 * its last part in hexadecimal.
 */
export function unmapIPv4(address: string): string {
  const hex = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/i.exec(address);
  if (!hex) return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "");
  const parts = hex.slice(1).map((part) => Number.parseInt(part, 16));
  return parts.flatMap((part) => [part >> 8, part & 255]).join(".");
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv6(address) ? "ipv6" : "ipv4";
}
