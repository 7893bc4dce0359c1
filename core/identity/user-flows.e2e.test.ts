import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createServer } from "../../reference-server/server.ts";
import { launch, type Tab, type TestBrowser } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import type { Client, Query } from "../index.ts";

// The flows of docs/identity.md in Chromium. Each device is a browser context of its own, so it has a key of its own.

const password = "a password";
let browser: TestBrowser;
let server: ServerProcess;
let pairs = 0;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), startServer()]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

/** What the test page provides. */
interface DevicePage {
  readonly client: Client;
  /** The accounts that the app's directory names, by alias. */
  readonly directory: Record<string, string>;
  connect(host: string, ...credentials: readonly unknown[]): Promise<void>;
  /** Calls the peers of a query, once there are some. Returns for each whether its link is verified, or the code of the error. */
  ask(query: Query): Promise<readonly string[]>;
}

/** The script of the test page. It uses nothing but its parameters. */
function createDevicePage(createClient: typeof import("../client.ts").createClient, hasDirectory: boolean): DevicePage {
  const directory: Record<string, string> = {};
  const identity = hasDirectory
    ? { name: "the app's own user id", accountOf: (alias: string) => directory[alias] }
    : {};
  const client = createClient({ identity: { policy: "require", ...identity } });
  client.module("Echo", ({ request }) => request);
  return {
    client,
    directory,
    connect: (host, ...credentials) =>
      (client.connect as (...args: readonly unknown[]) => Promise<void>)(host, ...credentials),
    async ask(query) {
      const target = client.get(query);
      await new Promise<void>((resolve) => {
        const stop = target.peers.subscribe((peers) => {
          if (peers.length === 0) return;
          queueMicrotask(() => stop());
          resolve();
        });
      });
      const replies = await target.call("Echo", "hello", { timeout: 30_000 }).all();
      return replies.map(({ peer, error }) =>
        error ? error.code : client.link(peer.id).peek().verified ? "verified" : "not verified",
      );
    },
  };
}

const html = (hasDirectory: boolean) => `<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<script type="module">
  import { createClient } from "/dist/browser.js";
  globalThis.device = (${createDevicePage})(createClient, ${hasDirectory});
</script>`;

/** A tab, and the functions of its page. */
interface Device {
  readonly tab: Tab;
  /** Runs an expression in the page, which can use `device`. */
  run(expression: string): Promise<any>;
  until(condition: string): Promise<unknown>;
  ask(query: Query): Promise<readonly string[]>;
  status(alias: string): Promise<string>;
  requestToken(alias: string): Promise<string>;
  claimToken(alias: string, token: string): Promise<void>;
}

/** Opens a page on a device of its own, or in a further tab of the shared one. */
async function open({ isolated = true, hasDirectory = false } = {}): Promise<Device> {
  const tab = await browser.open({ html: html(hasDirectory) }, { isolated });
  onTestFinished(() => tab.close());
  tab.page.setDefaultTimeout(60_000);
  const run = async (expression: string) => {
    await tab.page.waitForFunction("globalThis.device");
    return tab.page.evaluate(expression) as Promise<any>;
  };
  return {
    tab,
    run,
    until: (condition) => tab.page.waitForFunction(condition),
    ask: (query) => run(`device.ask(${JSON.stringify(query)})`),
    status: (alias) => run(`device.client.identityOf(${JSON.stringify(alias)}).peek().status`),
    requestToken: (alias) => run(`device.client.requestToken(${JSON.stringify(alias)}).then(({ token }) => token)`),
    claimToken: (alias, token) => run(`device.client.claimToken(${JSON.stringify(alias)}, ${JSON.stringify(token)})`),
  };
}

const connect = ({ run }: Device, username: string): Promise<void> =>
  run(`device.connect(${JSON.stringify(server.url)}, ${JSON.stringify(username)}, ${JSON.stringify(password)})`);

async function signIn(username: string): Promise<Device> {
  const device = await open();
  await connect(device, username);
  return device;
}

/** The user names of two new accounts. */
async function createAccounts(): Promise<readonly [ann: string, bob: string]> {
  pairs++;
  const names = [`ann${pairs}`, `bob${pairs}`] as const;
  for (const name of names) await server.addAccount(name, password);
  return names;
}

/** Ann and Bob, each on one device, who have verified each other. */
async function verifiedUsers() {
  const [annsName, bobsName] = await createAccounts();
  const [ann, bob] = [await signIn(annsName), await signIn(bobsName)];
  await bob.claimToken("Ann", await ann.requestToken("Bob"));
  await Promise.all([ann.until(isVerified("Bob")), bob.until(isVerified("Ann"))]);
  return { annsName, bobsName, ann, bob };
}

const isVerified = (alias: string) => `device.client.identityOf("${alias}").peek().status === "verified"`;
const peerId = ({ run }: Device): Promise<string> => run("device.client.getId()");
const accountOf = ({ run }: Device): Promise<string> => run("device.client.identity.peek().account");

const timeout = 180_000;

test("two users verify each other by a token, and remember it when both pages are loaded again", {
  timeout,
}, async () => {
  const { annsName, bobsName, ann, bob } = await verifiedUsers();
  expect(await ann.ask("Bob")).toEqual(["verified"]);
  await Promise.all([ann.tab.page.reload(), bob.tab.page.reload()]);
  await Promise.all([connect(ann, annsName), connect(bob, bobsName)]);
  expect(await bob.ask("Ann")).toEqual(["verified"]);
});

test("two users who are online in turns are verified when they meet", { timeout }, async () => {
  const [annsName, bobsName] = await createAccounts();
  const ann = await signIn(annsName);
  const token = await ann.requestToken("Bob");
  await ann.run("device.client.disconnect()");
  const bob = await signIn(bobsName);
  await bob.claimToken("Ann", token);
  expect(await bob.status("Ann")).toBe("pending");
  await bob.run("device.client.disconnect()");
  await connect(ann, annsName);
  expect(await ann.status("Bob")).toBe("pending");
  await connect(bob, bobsName);
  await Promise.all([ann.until(isVerified("Bob")), bob.until(isVerified("Ann"))]);
  expect(await ann.ask("Bob")).toEqual(["verified"]);
});

describe("a new device", () => {
  test.each([["old"], ["new"]])(
    "is linked with a code that is made on the %s one, and friends know it",
    { timeout },
    async (makerName) => {
      const { annsName, ann: laptop, bob } = await verifiedUsers();
      const phone = await signIn(annsName);
      expect(await phone.ask("Bob")).toEqual(["identity-mismatch"]);
      expect(await phone.ask("Us")).toEqual(["identity-mismatch"]);
      await phone.until(`device.client.identity.peek().status === "unlinked"`);
      const [maker, claimer] = makerName === "old" ? [laptop, phone] : [phone, laptop];
      await claimer.claimToken("Us", await maker.requestToken("Us"));
      await Promise.all(
        [laptop, phone].map((device) => device.until(`device.client.identity.peek().status === "linked"`)),
      );
      expect(await accountOf(phone)).toBe(await accountOf(laptop));
      expect(await phone.ask("Us")).toEqual(["verified"]);
      expect(await phone.ask("Bob")).toEqual(["verified"]);
      expect(await bob.ask("Ann")).toEqual(["verified", "verified"]);
    },
  );

  test("that is removed loses its links, and friends refuse it", { timeout }, async () => {
    const { annsName, ann: laptop, bob } = await verifiedUsers();
    const phone = await signIn(annsName);
    await phone.claimToken("Us", await laptop.requestToken("Us"));
    expect(await phone.ask("Bob")).toEqual(["verified"]);
    const [phoneId, bobId] = [await peerId(phone), await peerId(bob)];
    await laptop.run("device.client.removeDevice(device.client.identity.peek().devices[0].device)");
    // The phone hears it last. A call before that is lost with the link.
    await phone.until(`device.client.link("${bobId}").peek().status !== "open"`);
    expect(await bob.ask({ peer: phoneId })).toEqual(["identity-mismatch"]);
    expect(await phone.ask("Bob")).toEqual(["identity-mismatch"]);
    expect(await bob.ask({ peer: await peerId(laptop) })).toEqual(["verified"]);
    await phone.until(`device.client.identity.peek().status === "unlinked"`);
  });
});

test("a user who has lost everything starts a new account, and friends verify it again", { timeout }, async () => {
  const { ann, bob } = await verifiedUsers();
  const before = await accountOf(bob);
  await bob.run("device.client.resetIdentity()");
  expect(await accountOf(bob)).not.toBe(before);
  expect(await bob.ask("Ann")).toEqual(["identity-mismatch"]);
  await ann.until(`device.client.identityOf("Bob").peek().status === "changed"`);
  expect(await ann.ask("Bob")).toEqual(["identity-mismatch"]);
  await bob.claimToken("Ann", await ann.requestToken("Bob"));
  await Promise.all([ann.until(isVerified("Bob")), bob.until(isVerified("Ann"))]);
  expect(await ann.ask("Bob")).toEqual(["verified"]);
});

test("an app with its own accounts verifies those that its directory names", { timeout }, async () => {
  const friends = { "token of ann": ["1", "Bob", "2"], "token of bob": ["2", "Ann", "1"] } as const;
  const own = await createServer({
    port: 0,
    store: ":memory:",
    authenticate: async (token) => ({ username: friends[token as keyof typeof friends][0] }),
    trusted: async (username) =>
      Object.values(friends).flatMap(([me, alias, other]) => (me === username ? [{ username: other, alias }] : [])),
  });
  onTestFinished(() => own.close());
  const [ann, bob] = [await open({ hasDirectory: true }), await open({ hasDirectory: true })];
  await ann.run(`device.connect("${own.url}", { token: "token of ann" })`);
  await bob.run(`device.connect("${own.url}", { token: "token of bob" })`);
  expect(await ann.ask("Bob")).toEqual(["identity-mismatch"]);
  await ann.run(`device.directory.Bob = "${await accountOf(bob)}"`);
  expect(await ann.ask("Bob")).toEqual(["identity-mismatch"]);
  await bob.run(`device.directory.Ann = "${await accountOf(ann)}"`);
  expect(await ann.ask("Bob")).toEqual(["verified"]);
  expect(await bob.ask("Ann")).toEqual(["verified"]);
});

test("six tabs that open at once make one key", { timeout }, async () => {
  const [annsName, bobsName] = await createAccounts();
  const tabs = await Promise.all(Array.from({ length: 6 }, () => open({ isolated: false })));
  await Promise.all(tabs.map((tab) => connect(tab, annsName)));
  expect(new Set(await Promise.all(tabs.map(accountOf))).size).toBe(1);
  const bob = await signIn(bobsName);
  await bob.claimToken("Ann", await tabs[0]!.requestToken("Bob"));
  await bob.until(isVerified("Ann"));
  await bob.until(`device.client.get("Ann").peers.peek().length === 6`);
  expect(await bob.ask("Ann")).toEqual(Array(6).fill("verified"));
});
