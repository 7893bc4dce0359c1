import "./inspect.ts";
import * as v from "valibot";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { eventually } from "../../tools/eventually.ts";
import type { Client, ClientOptions } from "../client.ts";
import { BonevalueError } from "../errors.ts";
import { definePresence } from "../presence/definition.ts";
import type { IncomingStream } from "../rpc/streams/incoming-stream.ts";
import { createNetwork } from "../testing/network.ts";
import { exportLog } from "./export-log.ts";
import { logOf } from "./inspect.ts";
import { createPreview } from "./preview.ts";
import { maxEntries } from "./ring.ts";

const clients: Client[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.disconnect()));
});

async function pair(options?: Omit<ClientOptions, "discovery" | "transport">) {
  const network = createNetwork();
  const [ann, bob] = [network.client("ann", options), network.client("bob", options)];
  clients.push(ann, bob);
  await Promise.all([ann.connect("test", "ann", ""), bob.connect("test", "bob", "")]);
  await eventually(() => expect([ann.peers.peek(), bob.peers.peek()].flat()).toHaveLength(2));
  return { network, ann, bob };
}

const exported = (client: Client) => JSON.parse(exportLog(client));

test("both sides of a call record its module, direction, sizes, duration and outcome", async () => {
  const { ann, bob } = await pair();
  bob.module("Echo", ({ request }) => request);
  await ann.get("bob").call("Echo", "x".repeat(1_000)).first();
  for (const [client, peer, direction] of [
    [ann, bob, "out"],
    [bob, ann, "in"],
  ] as const) {
    const [call, ...more] = exported(client).calls;
    expect(more).toEqual([]);
    expect(call).toMatchObject({ module: "Echo", kind: "call", peer: peer.getId(), direction, outcome: "ok" });
    expect([call.requestSize, call.responseSize]).toEqual([expect.closeTo(1_014, -1), expect.closeTo(1_006, -1)]);
    expect(call.duration).toBeGreaterThan(0);
  }
});

test("calls that fail, are cancelled, or lose their link have an outcome", async () => {
  const { network, ann, bob } = await pair();
  bob.module("Fail", () => {
    throw new BonevalueError("forbidden", "No, Ann.");
  });
  bob.module("Never", () => new Promise(() => {}));
  const outcome = (module: string) =>
    exported(ann).calls.find((call: { module: string }) => call.module === module)?.outcome;

  await ann
    .get("bob")
    .call("Fail")
    .first()
    .catch(() => {});
  expect(outcome("Fail")).toBe("forbidden");
  expect(exportLog(ann)).not.toContain("No, Ann.");

  const abort = new AbortController();
  const cancelled = ann
    .get("bob")
    .call("Never", null, { signal: abort.signal })
    .first()
    .catch(() => {});
  await eventually(() => expect(outcome("Never")).toBe("pending"));
  abort.abort();
  await cancelled;
  await eventually(() => expect(outcome("Never")).toBe("cancelled"));

  const lost = ann
    .get("bob")
    .call("Never")
    .first()
    .catch(() => {});
  await eventually(() => expect(outcome("Never")).toBe("pending"));
  network.drop(ann.getId()!);
  await lost;
  await eventually(() => expect(outcome("Never")).toBe("disconnected"));
});

test("messages are sent, and handled once the peer has acknowledged them", async () => {
  const { ann, bob } = await pair();
  const requests: unknown[] = [];
  bob.module("Say", ({ request }) => void requests.push(request));
  ann.get("bob").message("Say", 1);
  ann.get("bob").message("Say", 2, { lossy: true });
  await eventually(() => expect(requests).toHaveLength(2));
  const outcomes = () =>
    exported(ann)
      .calls.map(({ kind, outcome }: { kind: string; outcome: string }) => `${kind} ${outcome}`)
      .sort();
  await eventually(() => expect(outcomes()).toEqual(["lossy sent", "message handled"]));
  expect(exported(bob).calls.map(({ outcome }: { outcome: string }) => outcome)).toEqual(["received", "handled"]);
});

test("streams record their items, bytes, credit and end", async () => {
  const { ann, bob } = await pair();
  bob.module("Count", async function* () {
    for (let n = 0; n < 20; n++) yield new Uint8Array(100_000);
  });
  const stream = (await ann.get("bob").call("Count").first()) as IncomingStream<Uint8Array>;
  for await (const _ of stream);
  for (const [client, direction] of [
    [ann, "in"],
    [bob, "out"],
  ] as const) {
    const [record] = exported(client).streams;
    expect(record).toMatchObject({ module: "Count", kind: "stream", direction, items: 20, outcome: "ended" });
    expect(record.bytes).toBeGreaterThan(20 * 100_000);
    expect(record.read).toBeGreaterThan(0);
    expect(record.limit).toBeGreaterThan(record.read);
  }
});

test("a file has its size, and its name is not recorded", async () => {
  const { ann, bob } = await pair();
  bob.module("Take", async ({ request }) => (await (request as any).blob()).size);
  const file = new File([new Uint8Array(200_000)], "diary-of-ann.txt");
  expect(await ann.get("bob").call("Take", file).first()).toBe(200_000);
  expect(exported(bob).streams).toMatchObject([{ kind: "blob", total: 200_000, direction: "in", module: "Take" }]);
  expect(exportLog(ann) + exportLog(bob)).not.toContain("diary");
});

test("presence records the newest version of each name, until the link ends", async () => {
  const { network, ann, bob } = await pair();
  const Cursor = definePresence("Cursor", v.object({ x: v.number() }));
  const mine = bob.presence(Cursor, { x: 1 });
  const stop = ann
    .get("bob")
    .presence(Cursor)
    .subscribe(() => {});
  await eventually(() => expect(exported(ann).presence).toMatchObject([{ name: "Cursor", status: "current" }]));
  mine.set({ x: 2 });
  await eventually(() => expect(exported(ann).presence).toMatchObject([{ direction: "in", updates: 2 }]));
  expect(exported(bob).presence).toMatchObject([{ direction: "out", updates: 2, peer: ann.getId() }]);
  stop();
  network.drop(ann.getId()!);
  await eventually(() => expect(exported(bob).presence).toEqual([]));
});

test("links record their state and bytes, and the session its reconnects", async () => {
  const { network, ann, bob } = await pair();
  bob.module("Echo", ({ request }) => request);
  await ann.get("bob").call("Echo", 1).first();
  const [link] = exported(ann).links;
  expect(link).toMatchObject({ peer: bob.getId(), role: "caller", status: "open", bufferedBytes: 0 });
  expect([link.sentBytes, link.receivedBytes].every((bytes) => bytes > 100)).toBe(true);

  network.discovery.interrupt(ann.getId());
  await eventually(() => expect(ann.status.peek()).toBe("reconnecting"));
  network.discovery.restore(ann.getId());
  await eventually(() => expect(exported(ann).session).toMatchObject({ credentials: "password", reconnects: 1 }));

  network.drop(ann.getId()!);
  await eventually(() => expect(exported(ann).links[0].status).toBe("closed"));
});

test("a log never has more than its newest entries", async () => {
  const { ann, bob } = await pair();
  bob.module("Echo", ({ request }) => request);
  for (let n = 0; n < maxEntries + 50; n++) await ann.get("bob").call("Echo", n).first();
  expect(exported(ann).calls).toHaveLength(maxEntries);
});

test("values are recorded only while previews are on, and secrets not even then", async () => {
  const { ann, bob } = await pair();
  bob.module("Echo", ({ request }) => request);
  await ann.get("bob").call("Echo", { text: "before" }).first();
  for (const client of [ann, bob]) logOf(client)!.preview = createPreview();
  await ann.get("bob").call("Echo", { text: "during", password: "hunter2" }).first();
  const [during, before] = exported(bob).calls;
  expect(during).toMatchObject({
    request: '{text: "during", password: •••}',
    response: '{text: "during", password: •••}',
  });
  expect(before).not.toHaveProperty("request");
  expect(exportLog(ann) + exportLog(bob)).not.toMatch(/hunter2|before/);
});

test("a log has no names, profiles, rooms, hosts' secrets, passwords or tokens", async () => {
  const network = createNetwork();
  const secret = "s3cr3t";
  network.discovery.addUser(`${secret}-user`, `${secret}-password`);
  const account = network.client(undefined, { profile: { about: secret } });
  const guest = network.client(undefined, { profile: { about: secret } });
  const other = network.client();
  clients.push(account, guest, other);
  const host = `wss://${secret}:${secret}@example.org/${secret}?key=${secret}`;
  await account.connect(host, `${secret}-user`, `${secret}-password`);
  await account.requestToken(secret);
  await account.claimToken(secret, secret).catch(() => {});
  await account.changePassword(secret, secret).catch(() => {});
  await guest.connect(host, { room: secret, name: secret });
  await other.connect(host, { room: secret, name: `${secret} 2` });
  await eventually(() => expect(guest.peers.peek()).toHaveLength(1));
  other.module("Echo", ({ request }) => request);
  await guest.get("*").call("Echo", secret).first();
  for (const client of [account, guest, other]) expect(exportLog(client)).not.toContain(secret);
  expect(exported(guest).session.host).toBe("example.org");
  expect(exported(account).events.map(({ text }: { text: string }) => text)).toContain("requestToken");
});

test("the server of a path is that of the page", async () => {
  vi.stubGlobal("location", { host: "example.org:8443" });
  onTestFinished(() => void vi.unstubAllGlobals());
  const client = createNetwork().client();
  clients.push(client);
  await client.connect("/bonevalue", { room: "demo", name: "Ann" });
  expect(exported(client).session.host).toBe("example.org:8443");
});

test("errors go to the console as before, unless the app listens", async () => {
  const { ann } = await pair();
  const printed = vi.spyOn(console, "error").mockImplementation(() => {});
  const sendUnsupported = () => ann.get("bob").message("Say", () => {});
  sendUnsupported();
  expect(printed).toHaveBeenCalledOnce();
  const errors: unknown[] = [];
  const off = ann.on("error", (error) => errors.push(error));
  sendUnsupported();
  off();
  off();
  expect([errors.length, printed.mock.calls.length]).toEqual([1, 1]);
  sendUnsupported();
  expect([errors.length, printed.mock.calls.length]).toEqual([1, 2]);
  expect(exported(ann).events.filter(({ text }: { text: string }) => text === "error")).toHaveLength(3);
  printed.mockRestore();
});

test("a client that the inspector did not create has a log without records", () => {
  const { ...copy } = createNetwork().client("ann");
  const log = exported(copy as Client);
  expect(log).toMatchObject({ recorded: false, client: { status: "offline" } });
  expect(log).not.toHaveProperty("calls");
});
