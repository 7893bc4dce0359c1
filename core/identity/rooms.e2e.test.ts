import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type Tab, type TestBrowser } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { createPlatformAlgorithms } from "./algorithms.ts";
import { type HostileServer, startHostileServer } from "./testing/hostile-server.ts";
import { deriveRoom } from "./tokens.ts";

const room = "The plan of Ann and Bob";
const secret = Uint8Array.from({ length: 16 }, (_, index) => index + 1);
const html = `<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<script type="module">
  import { createClient } from "/dist/browser.js";
  globalThis.enter = async (host, room, name, secret, policy) => {
    const client = (globalThis.client = createClient({
      identity: { policy: policy ?? "tofu", ...(secret && { secret: Uint8Array.from(secret) }) },
    }));
    client.module("IsVerified", ({ verified }) => verified);
    await client.connect(host, { room, name });
    return client.self.value.room;
  };
</script>`;

let browser: TestBrowser;
let server: ServerProcess;
let hostile: HostileServer;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), startServer({ options: { rooms: true } })]);
  hostile = await startHostileServer(server.url);
});

afterAll(async () => {
  await hostile.close();
  await Promise.all([browser.close(), server.stop()]);
});

async function enter(name: string, options: { secret?: Uint8Array; policy?: string; room?: string }): Promise<Tab> {
  const tab = await browser.open({ html });
  await tab.page.waitForFunction("globalThis.enter");
  const args = [hostile.url, options.room ?? room, name, options.secret && [...options.secret], options.policy];
  expect(await tab.page.evaluate(`enter(...${JSON.stringify(args)})`)).toBe(options.room ?? room);
  return tab;
}

/** Calls a peer by its name, once it is online. Returns what the peer knows of the caller, or the code of the failure. */
function call({ page }: Tab, name: string): Promise<unknown> {
  return page.evaluate(async (name) => {
    const { client } = globalThis as any;
    for (;;) {
      const peer = client.peers.value.find((one: { name: string }) => one.name === name);
      if (peer)
        return client
          .get({ peer: peer.id })
          .call("IsVerified")
          .first()
          .catch(({ code }: any) => code);
      await new Promise((resolve) => client.on("peerconnect", resolve));
    }
  }, name);
}

const peersOf = ({ page }: Tab): Promise<string[]> =>
  page.evaluate(() => (globalThis as any).client.peers.value.map(({ name }: { name: string }) => name));

test("tabs with the secret of a room are verified, in a room that the server cannot name and others do not find", async () => {
  const [ann, bob] = [await enter("Ann", { secret, policy: "require" }), await enter("Bob", { secret })];
  expect(await call(ann, "Bob")).toBe(true);
  expect(await call(bob, "Ann")).toBe(true);
  const base64 = Buffer.from(secret).toString("base64url");
  for (const text of [room, base64, [...secret].join()])
    expect(hostile.recorded.filter((frame) => frame.includes(text))).toEqual([]);

  const eve = await enter("Eve", {});
  const mallory = await enter("Mallory", { secret: secret.toReversed() });
  expect(await Promise.all([eve, mallory].map(peersOf))).toEqual([[], []]);
  expect(await peersOf(ann)).toEqual(["Bob"]);

  // The server itself knows where they are. It is a guest without the secret there.
  const derived = await deriveRoom(createPlatformAlgorithms(crypto.subtle), secret);
  const guest = await enter("Server", { room: derived });
  expect(await call(guest, "Ann")).toBe("identity-mismatch");
  expect(await call(guest, "Bob")).toBe(false);
  expect(await call(ann, "Server")).toBe("identity-mismatch");
});
