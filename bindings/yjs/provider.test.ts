import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { type BonevalueError, type Client, type ClientOptions, definePresence, type Query } from "../../core/index.ts";
import { createNetwork, createVirtualClock } from "../../core/testing/index.ts";
import { fc } from "../../tools/property.ts";
import { createYjsProvider } from "./provider.ts";

// Adapted from the scenarios of y-websocket's tests. The network uses the virtual clock; the provider and Awareness use the platform's
// timers. The tests advance both together.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
});
afterEach(() => {
  vi.useRealTimers();
});

function createWorld() {
  const clock = createVirtualClock();
  const network = createNetwork({ clock, latency: 10 });

  async function pass(ms: number): Promise<void> {
    const end = clock.now() + ms;
    while (clock.now() < end) {
      const step = Math.min(50, end - clock.now());
      await clock.advance(step);
      vi.advanceTimersByTime(step);
    }
    await clock.advance(0);
  }

  async function connect(client: Client, name: string): Promise<void> {
    const connected = client.connect("test", name, "");
    await pass(100);
    await connected;
  }

  async function join(name: string, options?: Omit<ClientOptions, "discovery" | "transport">) {
    const client = network.client(name, options);
    const errors: BonevalueError[] = [];
    client.on("error", (error) => errors.push(error));
    await connect(client, name);
    // `Object.assign` keeps the getters of its target. A spread would replace them with values.
    return Object.assign(share(client), { client, errors, id: client.getId()!, connect: () => connect(client, name) });
  }

  return { clock, network, pass, join };
}

/** Opens a document on a client. */
function share(client: Client, name = "notes", query: Query = "*") {
  const doc = new Y.Doc();
  const awareness = new Awareness(doc);
  const faults: unknown[] = [];
  const onError = (error: unknown) => faults.push(error);
  const provider = createYjsProvider(client, doc, { query, name, awareness, onError });
  const text = doc.getText("text");
  return {
    doc,
    text,
    provider,
    awareness,
    faults,
    get shown() {
      return text.toString();
    },
    /** The states of the others. */
    get states() {
      return [...awareness.getStates()].flatMap(([id, state]) => (id === doc.clientID ? [] : [state]));
    },
  };
}

test("two clients converge: what each had before, and every later change", async () => {
  const { pass, join } = createWorld();
  const ann = await join("ann");
  ann.text.insert(0, "Tea ");
  const bob = await join("bob");
  bob.text.insert(0, "Milk ");
  await pass(1_000);
  expect(ann.shown).toBe(bob.shown);
  expect(ann.shown.split(" ").sort()).toEqual(["", "Milk", "Tea"]);
  ann.text.insert(0, "Bread ");
  bob.text.delete(0, 1);
  await pass(1_000);
  expect(ann.shown).toBe(bob.shown);
  expect(ann.provider.peers.value.map(({ name }) => name)).toEqual(["bob"]);
  expect([ann.errors, bob.errors, ann.faults, bob.faults]).toEqual([[], [], [], []]);
});

test("edits of both sides while one is offline merge when it signs in again", async () => {
  const { pass, join } = createWorld();
  const [ann, bob] = [await join("ann"), await join("bob")];
  await pass(1_000);
  await bob.client.disconnect();
  ann.text.insert(0, "Tea ");
  bob.text.insert(0, "Milk ");
  await pass(20_000);
  expect([ann.shown, bob.shown]).toEqual(["Tea ", "Milk "]);
  await bob.connect();
  await pass(1_000);
  expect(ann.shown).toBe(bob.shown);
  expect(ann.shown).toHaveLength(9);
});

test.each([
  ["1 s", 1_000],
  ["120 s", 120_000],
])("changes during a broken path of %s arrive when it works again, and nothing is reported", async (_, ms) => {
  const { pass, network, join } = createWorld();
  const [ann, bob] = [await join("ann"), await join("bob")];
  await pass(1_000);
  network.partition(bob.id);
  ann.text.insert(0, "Tea ");
  bob.text.insert(0, "Milk ");
  await pass(ms);
  expect([ann.shown, bob.shown]).toEqual(["Tea ", "Milk "]);
  network.heal();
  await pass(120_000);
  expect(ann.shown).toBe(bob.shown);
  expect(ann.shown).toHaveLength(9);
  expect([ann.errors, bob.errors, ann.faults, bob.faults]).toEqual([[], [], [], []]);
});

test("a change whose link is lost at that moment is sent again", async () => {
  const { pass, network, join } = createWorld();
  const [ann, bob] = [await join("ann"), await join("bob")];
  await pass(1_000);
  ann.text.insert(0, "Tea");
  network.drop(bob.id);
  ann.text.insert(3, " and milk");
  await pass(5_000);
  expect(bob.shown).toBe("Tea and milk");
  expect([ann.faults, bob.faults]).toEqual([[], []]);
});

test("a peer that joins late gets the whole document, including changes of peers that have left", async () => {
  const { pass, join } = createWorld();
  const [ann, bob] = [await join("ann"), await join("bob")];
  ann.text.insert(0, "Tea");
  await pass(1_000);
  await ann.client.disconnect();
  await pass(1_000);
  const cyd = await join("cyd");
  await pass(1_000);
  expect(cyd.shown).toBe("Tea");
  expect(bob.shown).toBe("Tea");
});

test("nothing is sent twice or back, and changes that are made together are sent together", async () => {
  const { network, pass } = createWorld();
  const calls: string[] = [];

  /** A client that notes which of its modules are called. */
  function noting(name: string): Client {
    const client = network.client(name);
    return {
      ...client,
      module(module, handler, options) {
        const noted = (context: any) => {
          calls.push(`${Object(module).name} of ${name}`);
          return (handler as (context: any) => any)(context);
        };
        return client.module(module, noted as typeof handler, options);
      },
    };
  }

  const [anns, bobs] = [noting("ann"), noting("bob")];
  const [ann, bob] = [share(anns), share(bobs)];
  ann.text.insert(0, "Tea");
  void anns.connect("test", "ann", "");
  void bobs.connect("test", "bob", "");
  await pass(1_000);
  expect(bob.shown).toBe("Tea");
  expect(calls.filter((call) => call.startsWith("Yjs.Update")).sort()).toEqual([
    "Yjs.Update:notes of ann",
    "Yjs.Update:notes of bob",
  ]);
  calls.length = 0;
  for (let count = 0; count < 100; count++) ann.text.insert(0, "y");
  await pass(1_000);
  expect(bob.shown).toBe(ann.shown);
  expect(calls).toEqual(["Yjs.Update:notes of bob"]);
});

test("a peer that asks for the document and closes it is forgotten", async () => {
  const { pass, join } = createWorld();
  const [ann, bob] = [await join("ann"), await join("bob")];
  bob.provider.destroy();
  await pass(5_000);
  const timers = vi.getTimerCount();
  const call = bob.client.get("ann").call("Yjs.Sync:notes", Uint8Array.of(0)).all();
  await pass(1_000);
  expect((await call)[0]?.status).toBe("fulfilled");
  ann.text.insert(0, "Tea");
  // It would be called again every second.
  for (let time = 0; time < 1_000; time += 250) {
    expect(vi.getTimerCount()).toBe(timers);
    await pass(250);
  }
  expect(ann.faults).toEqual([]);
});

test("several documents on one client stay apart, and one name cannot be used twice", async () => {
  const { pass, join } = createWorld();
  const [ann, bob] = [await join("ann"), await join("bob")];
  const [annsPlan, bobsPlan] = [share(ann.client, "plan"), share(bob.client, "plan")];
  ann.text.insert(0, "notes");
  bobsPlan.text.insert(0, "plan");
  await pass(1_000);
  expect([bob.shown, annsPlan.shown]).toEqual(["notes", "plan"]);
  expect(() => share(ann.client, "plan")).toThrow(expect.objectContaining({ code: "module-taken" }));
  expect(() => share(ann.client, "x".repeat(101))).toThrow(expect.objectContaining({ code: "invalid-request" }));
});

test("a destroyed provider neither sends nor receives, and the document can be opened again", async () => {
  const { pass, join } = createWorld();
  const [ann, bob] = [await join("ann"), await join("bob")];
  await pass(1_000);
  ann.provider.destroy();
  ann.provider.destroy();
  await pass(1_000);
  ann.text.insert(0, "Tea ");
  bob.text.insert(0, "Milk ");
  await pass(5_000);
  expect([ann.shown, bob.shown]).toEqual(["Tea ", "Milk "]);
  expect(bob.provider.peers.value).toEqual([]);
  createYjsProvider(ann.client, ann.doc, { query: "*", name: "notes" });
  await pass(1_000);
  expect(ann.shown).toBe(bob.shown);
  expect([ann.errors, bob.errors, ann.faults, bob.faults]).toEqual([[], [], [], []]);
});

test("a destroyed document destroys its provider", async () => {
  const { pass, join } = createWorld();
  const [ann, bob] = [await join("ann"), await join("bob")];
  await pass(1_000);
  ann.doc.destroy();
  await pass(1_000);
  expect(bob.provider.peers.value).toEqual([]);
});

test("peers outside the query get nothing, and their calls are refused", async () => {
  const { pass, join } = createWorld();
  const [ann, bob, cyd] = [await join("ann"), await join("bob"), await join("cyd")];
  const annsPlan = share(ann.client, "plan", { user: "bob" });
  const bobsPlan = share(bob.client, "plan", { user: "ann" });
  const cydsPlan = share(cyd.client, "plan");
  cydsPlan.text.insert(0, "intrusion");
  annsPlan.text.insert(0, "secret");
  await pass(1_000);
  expect([bobsPlan.shown, cydsPlan.shown]).toEqual(["secret", "intrusion"]);
  const call = cyd.client.get("ann").call("Yjs.Sync:plan", Uint8Array.of(0)).all();
  await pass(1_000);
  expect((await call)[0]?.error?.code).toBe("forbidden");
  expect([annsPlan.faults, cydsPlan.faults]).toEqual([[], []]);
});

test("two documents on two networks pass changes on: tabs of one origin, and a server", async () => {
  const { pass, join } = createWorld();
  const tabs = createWorld();
  const [ann, bob] = [await join("ann"), await join("bob")];
  const tab = tabs.network.client("ann");
  const bridge = tabs.network.client("bob");
  createYjsProvider(bridge, bob.doc, { query: "*", name: "notes" });
  const other = share(tab);
  void tab.connect("test", "ann", "");
  void bridge.connect("test", "bob", "");
  await tabs.pass(1_000);
  ann.text.insert(0, "Tea ");
  other.text.insert(0, "Milk ");
  await pass(1_000);
  await tabs.pass(1_000);
  await pass(1_000);
  expect(ann.shown).toHaveLength(9);
  expect(other.shown).toBe(ann.shown);
});

test("a document beyond the limit of a message is synchronized, and so is a change of that size", async () => {
  const { pass, join } = createWorld();
  const limits = { messageSize: 100_000 };
  const ann = await join("ann", { limits });
  ann.text.insert(0, "x".repeat(300_000));
  const bob = await join("bob", { limits });
  await pass(2_000);
  expect(bob.shown).toHaveLength(300_000);
  bob.text.insert(0, "y".repeat(300_000));
  await pass(2_000);
  expect(ann.shown).toHaveLength(600_000);
  expect([ann.errors, bob.errors, ann.faults, bob.faults]).toEqual([[], [], [], []]);
});

test("an update of more than 256 MiB is refused before it is read", async () => {
  const { pass, join } = createWorld();
  const [ann, bob] = [await join("ann"), await join("bob")];
  const size = 256 * 1_024 * 1_024 + 1;
  const file = Object.defineProperty(new Blob(["x"]), "size", { value: size });
  const call = bob.client.get("ann").call("Yjs.Update:notes", file).all();
  await pass(1_000);
  expect((await call)[0]?.error?.code).toBe("too-large");
  expect(ann.errors).toEqual([]);
});

test.each([
  ["a broken update", "Yjs.Update:notes", Uint8Array.of(255, 255, 255)],
  ["a broken state vector", "Yjs.Sync:notes", Uint8Array.of(255, 255, 255)],
  ["a text instead of bytes", "Yjs.Update:notes", "hello"],
])("%s becomes an error event, and later changes still arrive", async (_, module, request) => {
  const { pass, join } = createWorld();
  const [ann, bob] = [await join("ann"), await join("bob")];
  await pass(1_000);
  const call = bob.client.get("ann").call(module, request).all();
  await pass(1_000);
  expect((await call)[0]?.status).toBe("rejected");
  expect(ann.errors).toHaveLength(1);
  bob.text.insert(0, "Tea");
  await pass(1_000);
  expect(ann.shown).toBe("Tea");
});

test("random and damaged updates never stop the page", async () => {
  const { pass, join } = createWorld();
  const [ann, bob] = [await join("ann"), await join("bob")];
  await pass(1_000);
  const source = new Y.Doc();
  source.getText("text").insert(0, "Bread");
  source.getMap("map").set("key", { a: [1, "two"] });
  source.getText("text").delete(1, 2);
  const valid = Y.encodeStateAsUpdate(source);
  const damaged = fc.tuple(fc.nat(), fc.nat(255)).map(([at, byte]) => valid.with(at % valid.length, byte));
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 64 }), damaged), async (bytes) => {
      const call = bob.client.get("ann").call("Yjs.Update:notes", bytes).all();
      await pass(50);
      expect((await call)[0]).toBeDefined();
    }),
  );
  bob.text.insert(0, "Tea");
  await pass(1_000);
  expect(ann.shown).toContain("Tea");
});

test("an invalid answer of a peer is reported, and the peer still gets later changes", async () => {
  const { pass, join } = createWorld();
  const ann = await join("ann");
  const bob = await join("bob");
  bob.provider.destroy();
  await pass(2_000);
  const updates: unknown[] = [];
  bob.client.module("Yjs.Sync:notes", () => "nonsense");
  bob.client.module("Yjs.Update:notes", ({ request }) => void updates.push(request));
  bob.client.presence(definePresence("Yjs:notes"), null);
  await pass(1_000);
  expect(ann.faults).toEqual([expect.objectContaining({ code: "invalid-response" })]);
  ann.text.insert(0, "Tea");
  await pass(1_000);
  expect(updates).toHaveLength(1);
});

test("awareness states appear, change, and disappear with their peers", async () => {
  const { pass, join } = createWorld();
  const [ann, bob] = [await join("ann"), await join("bob")];
  ann.awareness.setLocalStateField("user", { name: "Ann" });
  const changes: unknown[] = [];
  bob.awareness.on("change", ({ added, updated, removed }: any) => changes.push([added, updated, removed]));
  await pass(1_000);
  expect(bob.states).toEqual([{ user: { name: "Ann" } }]);
  ann.awareness.setLocalStateField("cursor", Y.createRelativePositionFromTypeIndex(ann.text, 0));
  await pass(1_000);
  expect(bob.states).toEqual([{ user: { name: "Ann" }, cursor: expect.anything() }]);
  ann.awareness.setLocalState(null);
  await pass(1_000);
  expect(bob.states).toEqual([]);
  ann.awareness.setLocalState({ back: true });
  await pass(1_000);
  expect(bob.states).toEqual([{ back: true }]);
  await ann.client.disconnect();
  await pass(1_000);
  expect(bob.states).toEqual([]);
  const { clientID } = ann.doc;
  expect(changes).toEqual([
    [[clientID], [], []],
    [[], [clientID], []],
    [[], [], [clientID]],
    [[clientID], [], []],
    [[], [], [clientID]],
  ]);
});

test("an awareness state stays while its peer is silent, disappears when the network path breaks, and returns with it", async () => {
  const { pass, network, join } = createWorld();
  const [ann, bob] = [await join("ann"), await join("bob")];
  ann.awareness.setLocalState({ name: "Ann" });
  await pass(60_000);
  expect(bob.states).toEqual([{ name: "Ann" }]);
  network.partition(ann.id);
  await pass(60_000);
  expect(bob.states).toEqual([]);
  network.heal();
  await pass(120_000);
  expect(bob.states).toEqual([{ name: "Ann" }]);
});

test("a destroyed provider removes the states of others, and its own at others", async () => {
  const { pass, join } = createWorld();
  const [ann, bob] = [await join("ann"), await join("bob")];
  await pass(1_000);
  expect([ann.states, bob.states]).toEqual([[{}], [{}]]);
  ann.provider.destroy();
  await pass(1_000);
  expect([ann.states, bob.states]).toEqual([[], []]);
  expect(ann.awareness.getLocalState()).toEqual({});
});

test("an awareness state beyond 16 KiB is reported, and the last one stays", async () => {
  const { pass, join } = createWorld();
  const [ann, bob] = [await join("ann"), await join("bob")];
  ann.awareness.setLocalState({ name: "Ann" });
  await pass(1_000);
  ann.awareness.setLocalState({ name: "x".repeat(17_000) });
  await pass(1_000);
  expect(bob.states).toEqual([{ name: "Ann" }]);
  expect(ann.faults).toEqual([expect.objectContaining({ code: "too-large" })]);
});

test("a hostile awareness state is reported, and changes neither the local state nor those of others", async () => {
  const { pass, join } = createWorld();
  const [ann, bob] = [await join("ann"), await join("bob")];
  const eve = await join("eve");
  eve.provider.destroy();
  bob.awareness.setLocalState({ name: "Bob" });
  await pass(1_000);
  const Open = definePresence("Yjs:notes");
  const mine = eve.client.presence(Open, { client: ann.doc.clientID, clock: 1_000, state: '{"name":"Eve"}' });
  await pass(1_000);
  for (const value of [
    { client: -1 },
    "x",
    { client: 1, clock: 9, state: "{" },
    { client: 1, clock: 9, state: "[[[" },
  ]) {
    mine.set(value);
    // Longer than the client suppresses further errors of one peer and name.
    await pass(1_500);
  }
  expect(ann.awareness.getLocalState()).toEqual({});
  expect(ann.states).toEqual([{ name: "Bob" }]);
  expect(ann.errors.map(({ code }) => code)).toEqual(Array(4).fill("invalid-request"));
  expect(ann.faults).toEqual([]);
});
