import { expect, test, vi } from "vitest";
import type { DiscoverySession } from "../discovery/discovery.ts";
import { createMemoryDiscovery } from "../discovery/memory.ts";
import type { OpenRelay } from "../relay-access.ts";
import { silent } from "../remember/remember.ts";
import { createMemoryNetwork } from "../transport/memory.ts";
import { createClientIdentity } from "./client-identity.ts";
import { createDevice } from "./testing/users.ts";

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
  const onOnline = vi.fn();
  const events = { ...silent, online: onOnline };
  const session = discovery.open("memory", { room: "a room", name: "Ann" }, events, { app: "" });
  await vi.waitUntil(() => onOnline.mock.calls.length > 0, { timeout: 20_000 });
  expect(session.openRelay).toBe(openRelay);
  await session.close();
});

test('a secret for a room is an error with the policy "off", and the server does not learn the name of the room', async () => {
  const open = vi.fn(createMemoryDiscovery().open);
  const { client } = createDevice({ policy: "off", secret: new Uint8Array(16) }, { discovery: { open } });
  await expect(client.connect("memory", { room: "a room", name: "Ann" })).rejects.toMatchObject({
    code: "invalid-request",
  });
  expect(open).not.toHaveBeenCalled();
});

test.for([
  ["is no array of bytes", "a secret of text"],
  ["is missing", () => undefined],
  ["is too short", new Uint8Array(15)],
])("a secret that %s is an error", async ([, secret]) => {
  const { open } = createMemoryDiscovery();
  const { client } = createDevice({ secret: secret as Uint8Array }, { discovery: { open } });
  await expect(client.connect("memory", { room: "a room", name: "Ann" })).rejects.toMatchObject({
    code: "invalid-request",
  });
});
