import { expect, test, vi } from "vitest";
import type { SecretKeeper } from "../discovery.ts";
import { type DriverOptions, driveSession } from "./testing/session-driver.ts";

const stay = { features: ["stay", "devices"] };
const byPassword = { username: "ann", password: "secret" };

/** A keeper whose pages may use a session while `mayUse` is true. */
function createKeeper(device = false) {
  const state = { mayUse: true };
  const keeper = {
    device,
    claim: vi.fn<SecretKeeper["claim"]>(async () => state.mayUse),
    keep: vi.fn<SecretKeeper["keep"]>(),
    release: vi.fn<SecretKeeper["release"]>(),
  };
  return { keeper, state };
}

function drive(credentials: Parameters<typeof driveSession>[0], keeper: SecretKeeper, options: DriverOptions = {}) {
  return driveSession(credentials, { ...options, keeper });
}

test("a session with a keeper asks to stay, and keeps its secret", async () => {
  const { keeper } = createKeeper();
  const socket = await drive(byPassword, keeper).signIn(stay);
  expect(socket.sent).toEqual([{ type: "authenticate", data: { version: 1, stay: true, ...byPassword } }]);
  expect(keeper.keep.mock.calls).toEqual([[{ session: "secret of ann" }, undefined]]);
});

test("a session without a keeper asks for nothing", async () => {
  const socket = await driveSession(byPassword).signIn(stay);
  expect(socket.sent).toEqual([{ type: "authenticate", data: { version: 1, ...byPassword } }]);
});

test.each([
  ["a password", byPassword, "authenticate"],
  ["an invitation", { invite: "invitation", password: "secret" }, "acceptInvite"],
])("a device is asked for with %s, and its secret is kept", async (_, credentials, type) => {
  const { keeper } = createKeeper(true);
  const driver = drive(credentials, keeper);
  const socket = await driver.signIn({ ...stay, device: "secret of the device" });
  expect(socket.sent).toEqual([{ type, data: { version: 1, stay: true, remember: true, ...credentials } }]);
  expect(keeper.keep).toHaveBeenCalledExactlyOnceWith({ session: "secret of ann" }, "secret of the device");
  socket.close(1006);
  await driver.clock.advance(1_000);
  const again = await driver.signIn(stay);
  expect(again.sent[0].data).toEqual({ version: 1, stay: true, session: "secret of ann" });
});

test("a device signs in by its secret, and then by that of its session", async () => {
  const { keeper } = createKeeper(true);
  const driver = drive({ device: "secret of the device" }, keeper);
  const socket = await driver.signIn(stay);
  expect(socket.sent[0].data).toEqual({ version: 1, stay: true, device: "secret of the device" });
  expect(keeper.keep).toHaveBeenCalledExactlyOnceWith({ session: "secret of ann" }, undefined);
  socket.close(1006);
  await driver.clock.advance(1_000);
  expect((await driver.signIn(stay)).sent[0].data).toMatchObject({ session: "secret of ann" });
});

test.each([true, false])("a page that stays says no bye when it is hidden (it may return: %s)", async (back) => {
  const { keeper } = createKeeper();
  const driver = drive(byPassword, keeper);
  const socket = await driver.signIn(stay);
  driver.page.hide(back);
  expect(socket.sent.map(({ type }) => type)).toEqual(["authenticate"]);
  expect(socket.closeCode).toBe(1000);
  expect(keeper.release).toHaveBeenCalledOnce();
  driver.page.wake();
  expect((await driver.signIn(stay)).sent[0].data).toEqual({ version: 1, stay: true, session: "secret of ann" });
  expect(keeper.claim).toHaveBeenCalledExactlyOnceWith("secret of ann");
});

test("a page that is shown again while another uses its session starts one of its own", async () => {
  const { keeper, state } = createKeeper();
  const driver = drive(byPassword, keeper);
  await driver.signIn(stay);
  driver.page.hide(true);
  state.mayUse = false;
  driver.page.wake();
  const socket = await driver.signIn({ ...stay, peerId: "another", session: "another secret" });
  expect(socket.sent[0].data).toEqual({ version: 1, stay: true, session: "secret of ann", fork: true });
  expect(driver.recorded.at(-1)).toMatchObject(["online", { self: { id: "another" } }]);
  expect(keeper.keep).toHaveBeenLastCalledWith({ session: "another secret" }, undefined);
});

test.each([
  ["a token", { token: "token" }],
  ["a room", { room: "demo", name: "Ann" }],
])("a copy of a session with %s signs in without the session", async (_, who) => {
  const { keeper, state } = createKeeper();
  state.mayUse = false;
  const driver = drive({ ...who, session: "secret of the first" }, keeper);
  const socket = await driver.signIn({ ...stay, ...("room" in who && { room: who.room }) });
  expect(socket.sent[0].data).toEqual({ version: 1, stay: true, ...who });
  expect(keeper.keep).toHaveBeenLastCalledWith({ ...who, session: "secret of ann" }, undefined);
});

test("with a token function the last token is kept beside the session", async () => {
  const { keeper } = createKeeper();
  const driver = drive({ token: async () => "fresh token" }, keeper);
  await driver.signIn(stay);
  expect(keeper.keep).toHaveBeenCalledExactlyOnceWith({ token: "fresh token", session: "secret of ann" }, undefined);
});

test("close keeps the session, and close for good ends it", async () => {
  for (const [end, data] of [
    [false, { back: true }],
    [true, {}],
  ] as const) {
    const { keeper } = createKeeper();
    const driver = drive(byPassword, keeper);
    const socket = await driver.signIn(stay);
    void driver.session.close(end);
    expect(socket.sent.at(-1)).toEqual({ type: "bye", data });
    expect(keeper.release).toHaveBeenCalled();
  }
});

test("an older server keeps nothing: the page says bye as it ends, and close ends the session", async () => {
  for (const [leave, data] of [
    [(driver: ReturnType<typeof drive>) => driver.page.hide(false), {}],
    [(driver: ReturnType<typeof drive>) => driver.page.hide(true), { back: true }],
    [(driver: ReturnType<typeof drive>) => void driver.session.close(), {}],
  ] as const) {
    const { keeper } = createKeeper(true);
    const driver = drive(byPassword, keeper);
    const socket = await driver.signIn();
    leave(driver);
    expect(socket.sent.at(-1)).toEqual({ type: "bye", data });
    expect(keeper.keep).not.toHaveBeenCalled();
  }
});

test("a changed password replaces the secret that is kept", async () => {
  const { keeper } = createKeeper();
  const driver = drive(byPassword, keeper);
  const socket = await driver.signIn(stay);
  const changed = driver.session.changePassword("secret", "new secret");
  await driver.clock.advance(0);
  socket.deliver("passwordResponse", { session: "renewed" }, { id: socket.sent.at(-1).id });
  await changed;
  expect(keeper.keep).toHaveBeenLastCalledWith({ session: "renewed" }, undefined);
});

test("a stored session that the server refuses ends with `unauthenticated`", async () => {
  const { keeper } = createKeeper();
  const driver = drive({ session: "of an ended session" }, keeper);
  const socket = await driver.socket();
  socket.accept();
  socket.close(4001);
  await driver.clock.advance(60_000);
  expect(driver.sockets).toHaveLength(1);
  expect(driver.recorded).toEqual([["ended", "unauthenticated"]]);
});

test("devices are read with their times, and one is forgotten", async () => {
  const driver = driveSession();
  const socket = await driver.signIn(stay);
  const listed = driver.session.devices!();
  await driver.clock.advance(0);
  const [created, used] = ["2026-01-31T12:00:00.000Z", "2026-02-01T08:30:00.000Z"];
  socket.deliver("deviceList", { devices: [{ id: "d", created, used, current: true }] }, { id: socket.sent.at(-1).id });
  expect(await listed).toEqual([{ id: "d", created: new Date(created), lastUsed: new Date(used), current: true }]);
  const forgotten = driver.session.forgetDevice!("d");
  await driver.clock.advance(0);
  expect(socket.sent.at(-1)).toMatchObject({ type: "forgetDevice", data: { id: "d" } });
  socket.deliver("forgetResponse", {}, { id: socket.sent.at(-1).id });
  await forgotten;
});

test("devices are unsupported at a server that does not name them, and the socket stays open", async () => {
  const driver = driveSession();
  const socket = await driver.signIn();
  const sent = socket.sent.length;
  await expect(driver.session.devices!()).rejects.toMatchObject({ code: "unsupported" });
  await expect(driver.session.forgetDevice!("d")).rejects.toMatchObject({ code: "unsupported" });
  expect(socket.sent).toHaveLength(sent);
});
