import type { IncomingMessage } from "node:http";
import { BlockList, isIP, isIPv6 } from "node:net";

/** Whether an address is in a list of addresses and networks (`10.0.0.0/8`). */
export type AddressList = (address: string) => boolean;

/** Throws when an entry is neither an address nor a network. */
export function addressList(entries: readonly string[]): AddressList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = "", prefix] = entry.split("/");
    const family = familyOf(address);
    const bits = Number(prefix ?? 0);
    if (isIP(address) === 0 || !/^\d*$/.test(prefix ?? "0") || prefix === "" || bits > (family === "ipv4" ? 32 : 128))
      throw new Error(`"${entry}" is not an IP address or network: write 10.0.0.1 or 10.0.0.0/8.`);
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, bits, family);
  }
  return (address) => isIP(address) !== 0 && list.check(address, familyOf(address));
}

const loopbacks = addressList(["127.0.0.0/8", "::1"]);

/** Whether an address or host name is this machine's own. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "");
  return bare === "localhost" || bare.endsWith(".localhost") || loopbacks(plain(bare));
}

/** Who is at the far end: the last hop that is not one of our proxies. Only what those proxies wrote is believed. */
export function clientAddress(request: IncomingMessage, proxies: AddressList): string {
  const hops = String(request.headers["x-forwarded-for"] ?? "")
    .split(",")
    .map((hop) => hop.trim());
  let address = plain(request.socket.remoteAddress ?? "");
  while (proxies(address)) {
    const before = plain(hops.pop() ?? "");
    if (isIP(before) === 0) break;
    address = before;
  }
  return address;
}

/** What limits count by: an IPv4 address, or the /64 that one IPv6 customer has. */
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

// IPv4 clients of a socket that listens on IPv6.
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "");
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv6(address) ? "ipv6" : "ipv4";
}
