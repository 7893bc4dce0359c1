import { afterEach, expect, test, vi } from "vitest";
import { socketUrl } from "../discovery/websocket/server-url.ts";
import { keyName } from "./key-name.ts";

afterEach(() => vi.unstubAllGlobals());

const password = "x";

test.each([
  ["wss://Example.org", "example.org"],
  ["example.org/", "example.org"],
  ["https://example.org/P2P/?a=b#c", "example.org/P2P"],
  ["example.org:8443", "example.org:8443"],
  ["example.org:443", "example.org"],
  ["wss://example.org:443/P2P", "example.org/P2P"],
  ["ws://example.org:80", "example.org"],
  ["localhost:80", "localhost"],
  ["localhost:443", "localhost:443"],
  ["/P2P", "app.example.org/P2P"],
])("the server %s has the name %s", (host, name) => {
  vi.stubGlobal("location", { origin: "https://app.example.org" });
  expect(keyName(socketUrl(host), { username: "ann", password }, "")[0]).toBe(name);
});

test.each([
  [{ username: "Ann", password }, "Ann"],
  [{ username: "Zoe\u0308", password }, "Zoë"],
  [{ username: "Ann@Example.org", password }, "ann@example.org"],
  [{ session: "x", as: "Ann" }, "Ann"],
  [{ device: "x", as: "Ann" }, "Ann"],
  [{ token: "x" }, "told"],
  [{ session: "x" }, "told"],
])("the user of %o has the name %s", (credentials, name) => {
  expect(keyName("example.org", credentials, "told")[1]).toBe(name);
});
