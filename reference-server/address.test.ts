import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { addressList, clientAddress, isLoopback, networkOf } from "./address.ts";

const request = (remoteAddress: string, forwarded?: string) =>
  ({ headers: { "x-forwarded-for": forwarded }, socket: { remoteAddress } }) as unknown as IncomingMessage;

test.each([
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["2001:0db8:0001:0002::", "2001:db8:1:2::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["198.51.100.7", "198.51.100.7"],
])("%s counts as %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test("the client address comes from listed proxies only", () => {
  const proxies = addressList(["10.0.0.0/8", "2001:db8::/32"]);
  expect(clientAddress(request("198.51.100.7", "203.0.113.9"), proxies)).toBe("198.51.100.7");
  expect(clientAddress(request("10.1.2.3", "203.0.113.9"), proxies)).toBe("203.0.113.9");
  expect(clientAddress(request("10.1.2.3", "1.1.1.1, 203.0.113.9, 10.9.9.9"), proxies)).toBe("203.0.113.9");
  expect(clientAddress(request("2001:db8::5", "203.0.113.9"), proxies)).toBe("203.0.113.9");
  expect(clientAddress(request("10.1.2.3"), proxies)).toBe("10.1.2.3");
  expect(clientAddress(request("10.1.2.3", "<script>"), proxies)).toBe("10.1.2.3");
});

test.each([
  ["203.0.113.9:4711", "203.0.113.9"],
  ["[2001:db9::1]:4711", "2001:db9::1"],
  ["[2001:db9::1]", "2001:db9::1"],
  ["2001:db9::1", "2001:db9::1"],
  ["[::ffff:203.0.113.9]:4711", "203.0.113.9"],
  ["::ffff:cb00:7109", "203.0.113.9"],
])("a proxy may forward %s for %s", (forwarded, address) => {
  expect(clientAddress(request("10.1.2.3", forwarded), addressList(["10.0.0.0/8"]))).toBe(address);
});

test("`unix` lists the proxies on a Unix domain socket", () => {
  const local = { headers: { "x-forwarded-for": "203.0.113.9" }, socket: {} } as unknown as IncomingMessage;
  expect(clientAddress(local, addressList(["unix"]))).toBe("203.0.113.9");
  expect(clientAddress(local, addressList(["127.0.0.1"]))).toBe("unix");
});

test("the mapped address of an IPv4 client is unmapped", () => {
  expect(clientAddress(request("::ffff:198.51.100.7"), addressList([]))).toBe("198.51.100.7");
  expect(isLoopback("::ffff:127.0.0.1")).toBe(true);
});

test.each(["localhost", "app.localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"])("%s is this machine", (host) => {
  expect(isLoopback(host)).toBe(true);
});

test.each(["", "0.0.0.0", "::", "localhost.example.org", "10.0.0.1", "127.0.0.1.example.org"])(
  "%s is not this machine",
  (host) => {
    expect(isLoopback(host)).toBe(false);
  },
);

test("a list accepts addresses and networks only", () => {
  const list = addressList(["198.51.100.7", "2001:db8::/32"]);
  expect([list("198.51.100.7"), list("2001:db8::1"), list("198.51.100.8"), list("x")]).toEqual([
    true,
    true,
    false,
    false,
  ]);
  for (const entry of ["example.org", "10.0.0.0/33", "10.0.0/8", ""]) expect(() => addressList([entry])).toThrow();
});
