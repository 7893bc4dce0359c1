import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import type { Credentials } from "../discovery/discovery.ts";
import { createFakeBrowser } from "../remember/testing/fake-browser.ts";
import { createMemoryStore } from "./key-store.ts";
import { type HostileServer, startHostileServer } from "./testing/hostile-server.ts";
import { createLocalClient } from "./testing/users.ts";

const password = "a password";
let server: ServerProcess;
let hostile: HostileServer;

beforeAll(async () => {
  server = await startServer({ accounts: { ann: password, eve: password }, options: { rooms: true } });
  hostile = await startHostileServer(server.url);
});

afterEach(() => vi.unstubAllGlobals());

afterAll(async () => {
  await hostile.close();
  await server.stop();
});

/** A tab of one browser, and the names of the records that it has used. */
function createTab(scope: object, store = createMemoryStore()) {
  for (const [name, value] of Object.entries(scope)) vi.stubGlobal(name, value);
  const names = new Set<string>();
  const keyStore: typeof store = {
    ...store,
    update(name, change) {
      names.add(name);
      return store.update(name, change);
    },
  };
  const secret = () => new Uint8Array(16).fill(3);
  const client = createLocalClient({ remember: "tab", identity: { keyStore, secret } });
  return { client, names, store };
}

/** Signs in, reloads the tab and resumes. */
async function reload(credentials: Credentials) {
  const page = createFakeBrowser().open();
  const first = createTab(page.scope);
  await first.client.connect(hostile.url, credentials);
  await vi.waitUntil(() => page.scope.sessionStorage?.getItem("bonevalue:"), { timeout: 20_000 });
  const known = first.client.identity.peek()!;
  const next = createTab(page.reload().scope, first.store);
  // The server calls the user by another name now.
  hostile.attack = {
    fromServer: (frame) =>
      frame.type === "setPeerId" ? { ...frame, data: { ...frame.data, username: "eve" } } : frame,
  };
  expect(await next.client.resume()).toBe(true);
  hostile.attack = {};
  expect(next.client.self.peek()).toMatchObject({ username: "eve" });
  return { first, next, before: known, after: next.client.identity.peek()! };
}

test("a resumed tab signs with the key of the user name with which the app has signed in", async () => {
  const { first, next, before, after } = await reload({ username: "ann", password });
  expect(after).toEqual(before);
  expect(next.names).toEqual(first.names);
});

test("a tab whose key store fails does not forget its sign-in", async () => {
  const page = createFakeBrowser().open();
  const first = createTab(page.scope);
  await first.client.connect(server.url, "ann", password);
  await vi.waitUntil(() => page.scope.sessionStorage?.getItem("bonevalue:"), { timeout: 20_000 });
  const broken = page.reload();
  const failing = createTab(broken.scope, { ...first.store, update: () => Promise.reject(new Error("It is full.")) });
  await expect(failing.client.resume()).rejects.toMatchObject({ code: "unsupported" });
  expect(await createTab(broken.reload().scope, first.store).client.resume()).toBe(true);
});

test("a tab that was in a room with a secret comes back to it, and the server never learns the app's name of it", async () => {
  const { next, before, after } = await reload({ room: "the plan", name: "Ann" });
  expect(next.client.self.peek()!.room).toBe("the plan");
  expect(after.account).toBe(before.account);
  expect(hostile.recorded.filter((frame) => frame.includes("the plan"))).toEqual([]);
});
