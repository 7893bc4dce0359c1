import { expect, test } from "vitest";
import { defaultLimits } from "./limits.ts";
import { openSqliteStore } from "./store/sqlite.ts";
import type { TestClient } from "./testing/test-client.ts";
import { password, startTestServer } from "./testing/test-server.ts";

const hour = 60 * 60_000;
const byPassword = { username: "ann", password, stay: true };
const onNewDevice = { ...byPassword, remember: true };

/** The secret of the device that the server has remembered at a sign-in. */
function deviceOf(client: TestClient): string {
  return client.received.find(({ type }) => type === "setPeerId")?.data.device;
}

async function refused(client: TestClient, proof: object): Promise<[code: number, error: string]> {
  client.send("authenticate", { version: 1, ...proof });
  const { data } = await client.next("error");
  return [await client.closed, data.code];
}

/** Closes a socket as a browser does when its page is reloaded. */
async function unload(client: TestClient): Promise<void> {
  client.socket.close(1001);
  await client.closed;
}

// ── reloads ──

test("a page that stays may be reloaded: it keeps its peer id, and others do not see it leave", async () => {
  const { signIn, settled } = await startTestServer(["ann", "bob"]);
  const bob = await signIn("bob");
  const ann = await signIn("ann", byPassword);
  await bob.next("peerConnect");
  await unload(ann);
  const again = await signIn("ann", { session: ann.session, stay: true });
  expect([again.id, again.resumed]).toEqual([ann.id, true]);
  await settled(bob, again);
  expect(bob.received.map(({ type }) => type)).not.toContain("peerDisconnect");
});

test("a page that stays and does not return within 5 seconds is gone, and not lost", async () => {
  const { signIn, clock, logged } = await startTestServer(["ann", "bob"]);
  const bob = await signIn("bob");
  const ann = await signIn("ann", byPassword);
  await bob.next("peerConnect");
  await unload(ann);
  await expect.poll(() => logged.some(([, text, { peer }]) => text === "socket closed" && peer === ann.id)).toBe(true);
  clock.advance(4_999);
  await bob.settled();
  expect(bob.received.map(({ type }) => type)).not.toContain("peerDisconnect");
  clock.advance(1);
  expect(await bob.next("peerDisconnect")).toEqual({ type: "peerDisconnect", data: ann.id });
  expect((await signIn("ann", { session: ann.session })).id).toBe(ann.id);
});

test("reloadGrace is a limit, and a page without `stay` is gone at once", async () => {
  const { signIn } = await startTestServer(["ann", "bob"], { limits: { reloadGrace: 60_000_000 } });
  const bob = await signIn("bob");
  const ann = await signIn("ann");
  await bob.next("peerConnect");
  await unload(ann);
  expect((await bob.next("peerDisconnect")).data).toBe(ann.id);
});

test("a page that stays and says bye is gone at once, and with `back` its session remains", async () => {
  const { signIn, open } = await startTestServer(["ann", "bob"]);
  const bob = await signIn("bob");
  const ann = await signIn("ann", byPassword);
  ann.send("bye", { back: true });
  expect((await bob.next("peerDisconnect")).data).toBe(ann.id);
  const again = await signIn("ann", { session: ann.session, stay: true });
  expect(again.id).toBe(ann.id);
  again.send("bye", {});
  await again.closed;
  expect(await refused(await open(), { session: ann.session })).toEqual([4001, "unauthenticated"]);
});

test("a page that stays and whose connection breaks has the longer grace of a lost peer", async () => {
  const { signIn, lose, clock } = await startTestServer(["ann", "bob"]);
  const bob = await signIn("bob");
  const ann = await signIn("ann", byPassword);
  await bob.next("peerConnect");
  await lose(ann);
  clock.advance(9_999);
  await bob.settled();
  expect(bob.received.map(({ type }) => type)).not.toContain("peerDisconnect");
  clock.advance(1);
  expect((await bob.next("peerDisconnect")).lost).toBe(true);
});

// ── copies of a session ──

test("a copied tab starts a session of its own with the secret of the first, which goes on", async () => {
  const { signIn, settled } = await startTestServer(["ann", "bob"]);
  const bob = await signIn("bob");
  const first = await signIn("ann", byPassword);
  const ids = new Set([first.id]);
  for (let copy = 0; copy < 10; copy++)
    ids.add((await signIn("ann", { session: first.session, fork: true, stay: true })).id);
  expect(ids.size).toBe(11);
  await settled(first, bob);
  const online = bob.received.filter(({ type }) => type === "peerConnect").map(({ data }) => data.id);
  expect(new Set(online)).toEqual(ids);
  expect(first.received.map(({ type }) => type)).not.toContain("error");
});

test("a copy of a session that has ended, or belongs to another app, is refused", async () => {
  const { signIn, open } = await startTestServer(["ann"]);
  const ann = await signIn("ann", byPassword);
  const copy = { session: ann.session, fork: true };
  expect(await refused(await open(), { ...copy, app: "other" })).toEqual([4001, "unauthenticated"]);
  ann.send("bye", {});
  await ann.closed;
  expect(await refused(await open(), copy)).toEqual([4001, "unauthenticated"]);
});

// ── devices ──

test("a device signs in as new peers, until it is unused for 30 days by default", async () => {
  expect(defaultLimits.deviceAge).toBe(30 * 24 * hour);
  const { signIn, open, clock } = await startTestServer(["ann"], { limits: { deviceAge: 3 * hour } });
  const first = await signIn("ann", onNewDevice);
  const device = deviceOf(first);
  expect(Buffer.from(device, "base64url")).toHaveLength(32);
  await unload(first);
  clock.advance(2 * hour);
  const second = await signIn("ann", { device, stay: true });
  expect(second.id).not.toBe(first.id);
  expect(deviceOf(second)).toBeUndefined();
  await unload(second);
  clock.advance(2 * hour);
  await unload(await signIn("ann", { device, stay: true }));
  // The last use is recorded within 5 s.
  clock.advance(3 * hour + 5_000);
  expect(await refused(await open(), { device })).toEqual([4001, "unauthenticated"]);
});

test("without a limit of age, sessions, guests, devices, tokens and invitations work and stay", async () => {
  const unlimited = Number.POSITIVE_INFINITY;
  const ages = { sessionAge: unlimited, guestAge: unlimited, deviceAge: unlimited };
  const { server, signIn, open, clock } = await startTestServer(["ann"], {
    rooms: true,
    limits: { ...ages, tokenAge: unlimited, invitationAge: unlimited },
  });
  const [ann, guest] = [await signIn("ann", onNewDevice), await signIn("", { room: "a", stay: true })];
  const { data: token } = await ann.request("requestToken", { name: "Bob" });
  const { link, expires } = await server.accounts.invite("carol@example.org");
  await unload(ann);
  await unload(guest);
  clock.advance(20 * 365 * 24 * hour);
  await server.accounts.add("bob", password);
  const bob = await signIn("bob");
  expect((await bob.request("claimToken", { name: "Ann", token: token.token })).type).toBe("claimResponse");
  expect(expires.getTime()).toBeGreaterThan(clock.now());
  const carol = await open();
  carol.send("acceptInvite", { version: 1, invite: new URL(link).hash.slice(1), password });
  await carol.next("setPeerId");
  const again = await signIn("", { room: "a", session: guest.session });
  expect(again.id).toBe(guest.id);
  await signIn("ann", { session: ann.session });
  await signIn("ann", { device: deviceOf(ann) });
});

test("an open page keeps its device in use", async () => {
  const { signIn, clock } = await startTestServer(["ann"], {
    limits: { deviceAge: 6 * hour, idleTimeout: 24 * hour, pingEvery: 24 * hour },
  });
  const ann = await signIn("ann", onNewDevice);
  for (let passed = 0; passed < 8; passed++) {
    clock.advance(hour);
    await ann.settled();
  }
  await signIn("ann", { device: deviceOf(ann) });
});

test("a page that does not ask for it gets no device, and the server names what it supports", async () => {
  const { signIn } = await startTestServer(["ann"]);
  const ann = await signIn("ann", byPassword);
  expect(ann.received[0]?.data).toMatchObject({ features: expect.arrayContaining(["stay", "devices"]) });
  expect(deviceOf(ann)).toBeUndefined();
  expect((await ann.request("listDevices")).data).toEqual({ devices: [] });
});

test("an invited user can be remembered from the first sign-in", async () => {
  const { server, open, signIn } = await startTestServer();
  const { link } = await server.accounts.invite("dan@example.org");
  const dan = await open();
  dan.send("acceptInvite", { version: 1, invite: new URL(link).hash.slice(1), password, stay: true, remember: true });
  await dan.next("peerList");
  expect(await signIn("dan", { device: deviceOf(dan) })).toMatchObject({ resumed: false });
});

test("a device secret that two machines use at once signs both in as peers of one device", async () => {
  const { signIn } = await startTestServer(["ann", "bob"]);
  const bob = await signIn("bob");
  const ann = await signIn("ann", onNewDevice);
  const device = deviceOf(ann);
  const [one, two] = await Promise.all([signIn("ann", { device }), signIn("ann", { device })]);
  expect(new Set([ann.id, one.id, two.id]).size).toBe(3);
  expect((await one.request("listDevices")).data.devices).toMatchObject([{ current: true }]);
  await Promise.all([bob.settled(), two.settled()]);
  expect(two.received.map(({ type }) => type)).not.toContain("error");
});

test("devices are listed with their times, and forgetting one ends its sessions and no others", async () => {
  const { signIn, open, clock } = await startTestServer(["ann", "bob"]);
  const bob = await signIn("bob", { username: "bob", password, remember: true });
  const phone = await signIn("ann", onNewDevice);
  clock.advance(10_000);
  const laptop = await signIn("ann", onNewDevice);
  const tab = await signIn("ann", { device: deviceOf(phone) });
  const { devices } = (await laptop.request("listDevices")).data;
  expect(devices).toHaveLength(2);
  expect(devices.filter(({ current }: { current: boolean }) => current)).toHaveLength(1);
  const lost = devices.find(({ current }: { current: boolean }) => !current);
  expect(Date.parse(lost.used) - Date.parse(lost.created)).toBe(10_000);

  expect(await bob.request("forgetDevice", { id: lost.id })).toMatchObject({ type: "forgetResponse" });
  expect((await laptop.request("listDevices")).data.devices).toHaveLength(2);
  expect(await laptop.request("forgetDevice", { id: lost.id })).toMatchObject({ type: "forgetResponse" });
  expect(await Promise.all([phone.closed, tab.closed])).toEqual([4001, 4001]);
  expect(await refused(await open(), { device: deviceOf(phone) })).toEqual([4001, "unauthenticated"]);
  expect(await refused(await open(), { session: phone.session })).toEqual([4001, "unauthenticated"]);
  await signIn("ann", { session: laptop.session });
});

test("bye ends every session of its device", async () => {
  const { signIn, open } = await startTestServer(["ann"]);
  const ann = await signIn("ann", onNewDevice);
  const tab = await signIn("ann", { session: ann.session, fork: true });
  const other = await signIn("ann");
  ann.send("bye", {});
  expect(await tab.closed).toBe(4001);
  expect(await refused(await open(), { device: deviceOf(ann) })).toEqual([4001, "unauthenticated"]);
  await other.settled();
});

test("a changed password revokes all other devices, and a reset one all", async () => {
  const { server, signIn, open } = await startTestServer(["ann"]);
  const [own, other] = [await signIn("ann", onNewDevice), await signIn("ann", onNewDevice)];
  await own.request("changePassword", { current: password, password: "a better secret" });
  expect(await other.closed).toBe(4001);
  expect(await refused(await open(), { device: deviceOf(other) })).toEqual([4001, "unauthenticated"]);
  const tab = await signIn("ann", { device: deviceOf(own) });
  await server.accounts.setPassword("ann", "reset by the operator");
  expect(await tab.closed).toBe(4001);
  expect(await refused(await open(), { device: deviceOf(own) })).toEqual([4001, "unauthenticated"]);
});

test("above the limit, the device that has been unused longest is forgotten", async () => {
  const { signIn, open, clock } = await startTestServer(["ann"], { limits: { devicesPerAccount: 2 } });
  const secrets: string[] = [];
  for (let at = 0; at < 3; at++) {
    secrets.push(deviceOf(await signIn("ann", onNewDevice)));
    clock.advance(1_000);
  }
  expect(await refused(await open(), { device: secrets[0] })).toEqual([4001, "unauthenticated"]);
  await signIn("ann", { device: secrets[1] });
});

test("a device that is forgotten during a sign-in does not sign in", async () => {
  const real = await openSqliteStore(":memory:");
  const { promise: added, resolve } = Promise.withResolvers<void>();
  const store = {
    ...real,
    async addSessionFrom(...args: Parameters<NonNullable<typeof real.addSessionFrom>>) {
      const session = await real.addSessionFrom!(...args);
      const [device] = await real.devices!("ann");
      await real.forgetDevice!("ann", device!.id);
      resolve();
      return session;
    },
  };
  const { signIn, open } = await startTestServer(["ann"], { store });
  const ann = await signIn("ann", onNewDevice);
  expect(await refused(await open(), { device: deviceOf(ann) })).toEqual([4001, "unauthenticated"]);
  await added;
});

test("a store of an app without devices is not asked to keep any: its requests get `unsupported`", async () => {
  const { addDevice, devices, forgetDevice, addSessionFrom, ...store } = await openSqliteStore(":memory:");
  const { signIn, open } = await startTestServer(["ann"], { store });
  const ann = await signIn("ann", onNewDevice);
  expect(ann.received[0]?.data.features).not.toContain("devices");
  expect(deviceOf(ann)).toBeUndefined();
  for (const [type, data] of [
    ["listDevices", {}],
    ["forgetDevice", { id: "x" }],
  ] as const)
    expect((await ann.request(type, data)).data.code).toBe("unsupported");
  expect(await refused(await open(), { device: "anything" })).toEqual([4001, "unsupported"]);
  expect(await refused(await open(), { session: ann.session, fork: true })).toEqual([4001, "unsupported"]);
  await unload(ann);
  expect((await signIn("ann", { session: ann.session, stay: true })).id).toBe(ann.id);
});

test("with tokens of the app a page comes back with its session and the token, and devices are unsupported", async () => {
  const authenticate = async (token: string) => (token === "valid" ? { username: "ann" } : undefined);
  const { signIn, open } = await startTestServer([], { authenticate });
  const ann = await signIn("ann", { token: "valid", stay: true, remember: true });
  expect(ann.received[0]?.data.features).not.toContain("devices");
  expect(deviceOf(ann)).toBeUndefined();
  await unload(ann);
  const again = await signIn("ann", { token: "valid", session: ann.session, stay: true });
  expect([again.id, again.resumed]).toEqual([ann.id, true]);
  expect(await refused(await open(), { token: "expired", session: ann.session })).toEqual([4001, "unauthenticated"]);
  expect(await refused(await open(), { device: "anything" })).toEqual([4001, "unsupported"]);
});

test.each([
  ["an unknown device", { device: "x".repeat(43) }],
  ["an empty device", { device: "" }],
  ["an unknown session", { session: "x".repeat(43), fork: true }],
])("%s is refused as a session that has ended", async (_, proof) => {
  const { open } = await startTestServer(["ann"]);
  expect(await refused(await open(), proof)).toEqual([4001, "unauthenticated"]);
});
