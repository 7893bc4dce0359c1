import { expect, test } from "vitest";
import { addressesOf, isLoopback } from "./addresses.ts";

test("a specific host gives its own URL", () => {
  expect(addressesOf("127.0.0.1", 8000)).toEqual(["http://127.0.0.1:8000/"]);
  expect(addressesOf("::1", 8000)).toEqual(["http://[::1]:8000/"]);
});

test("an unspecified host gives the loopback URL first, then one for each network address", () => {
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
])("isLoopback(%s) is %s", (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});
