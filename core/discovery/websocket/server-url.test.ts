import { afterEach, expect, test, vi } from "vitest";
import { socketUrl } from "./server-url.ts";

test.each([
  ["example.org", "wss://example.org/"],
  ["example.org:8443/discovery", "wss://example.org:8443/discovery"],
  ["192.168.1.7:8000", "wss://192.168.1.7:8000/"],
  ["localhost", "ws://localhost/"],
  ["localhost:8000", "ws://localhost:8000/"],
  ["app.localhost:8000", "ws://app.localhost:8000/"],
  ["127.0.0.1:8000", "ws://127.0.0.1:8000/"],
  ["localhost:443", "ws://localhost:443/"],
  ["[::1]:8000", "ws://[::1]:8000/"],
  ["ws://example.org", "ws://example.org/"],
  ["HTTP://example.org:80", "ws://example.org/"],
  ["https://localhost/path?a=b#fragment", "wss://localhost/path?a=b"],
])("%s becomes %s", (host, url) => expect(socketUrl(host)).toBe(url));

test.each([
  "",
  "two words",
  "ftp://example.org",
  "example.org:port",
  "wss://",
  "wss://ann:secret@example.org",
  "localhost.evil:x",
  undefined,
  8_000,
])("%j is refused with a message that says what to pass", (host) =>
  expect(() => socketUrl(host as string)).toThrow(
    expect.objectContaining({ code: "unreachable", message: expect.stringContaining("host name") }),
  ),
);

test("a name that only begins like a loopback name uses TLS", () => {
  expect(socketUrl("localhost.example.org")).toBe("wss://localhost.example.org/");
  expect(socketUrl("example.org/?of=.localhost")).toBe("wss://example.org/?of=.localhost");
  expect(socketUrl("127.0.0.1.example.org")).toBe("wss://127.0.0.1.example.org/");
});

afterEach(() => vi.unstubAllGlobals());

test.each([
  ["http://localhost:5173", "/bonevalue", "ws://localhost:5173/bonevalue"],
  ["https://app.example.org", "/p2p?a=b", "wss://app.example.org/p2p?a=b"],
  ["https://app.example.org", "/", "wss://app.example.org/"],
  ["https://app.example.org", "//evil.example.org/p2p", "wss://app.example.org//evil.example.org/p2p"],
  ["https://app.example.org", "/@evil.example.org", "wss://app.example.org/@evil.example.org"],
  ["https://app.example.org", "/a://b", "wss://app.example.org/a://b"],
])("on a page of %s, the path %s becomes %s", (origin, path, url) => {
  vi.stubGlobal("location", { origin });
  expect(socketUrl(path)).toBe(url);
});

test.each([
  ["no location", undefined],
  ["a file", { origin: "null" }],
  ["an app", { origin: "capacitor://localhost" }],
])("a path is refused where there is %s, with a message that asks for a URL", (_, location) => {
  vi.stubGlobal("location", location);
  expect(() => socketUrl("/bonevalue")).toThrow(
    expect.objectContaining({
      code: "unreachable",
      message: expect.stringContaining('Pass a URL, such as "wss://example.org/bonevalue"'),
    }),
  );
});
