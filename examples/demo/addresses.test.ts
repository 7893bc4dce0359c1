import { expect, test } from "vitest";
import { addressesOf, isLoopback } from "./addresses.ts";

test("a host that is listened on is where the page can be opened", () => {
  expect(addressesOf("127.0.0.1", 8000)).toEqual(["http://127.0.0.1:8000/"]);
  expect(addressesOf("::1", 8000)).toEqual(["http://[::1]:8000/"]);
});

test("listening everywhere, this machine's own address comes first, and each is one that a browser takes", () => {
  const urls = addressesOf("0.0.0.0", 8000);
  expect(urls[0]).toBe("http://127.0.0.1:8000/");
  for (const url of urls) expect(new URL(url).port).toBe("8000");
});

test.each([
  ["localhost", true],
  ["127.0.0.1", true],
  ["::1", true],
  ["0.0.0.0", false],
  ["192.168.1.7", false],
])("%s is this machine's alone: %s", (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});
