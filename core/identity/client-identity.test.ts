import { expect, test, vi } from "vitest";
import type { DiscoverySession } from "../discovery/discovery.ts";
import { createMemoryDiscovery } from "../discovery/memory.ts";
import type { OpenRelay } from "../relay-access.ts";
import { createMemoryNetwork } from "../transport/memory.ts";
import { createClientIdentity } from "./client-identity.ts";

test("a room with a secret can use the relay of the server", async () => {
  const openRelay: OpenRelay = () => Promise.reject(new Error("It is not called."));
  const { open } = createMemoryDiscovery();
  const { discovery } = createClientIdentity({
    identity: { secret: new Uint8Array(16) },
    discovery: { open: (...args): DiscoverySession => Object.assign(open(...args), { openRelay }) },
    transport: { ...createMemoryNetwork().transport, channelBinding: true },
    self: () => "",
    peers: () => [],
    peer: () => undefined,
    isUser: () => false,
    dial: () => Promise.resolve(),
    endLink() {},
    onChange() {},
  });
  const events = new Proxy({} as Parameters<typeof open>[2], { get: () => () => {} });
  const session = discovery.open("memory", { room: "a room", name: "Ann" }, events, { app: "" });
  await vi.waitFor(() => expect(session.openRelay).toBe(openRelay));
  await session.close();
});
